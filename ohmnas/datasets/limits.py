"""Limits of time and memory for one row, so that one monster does not hold up a campaign."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ohmnas.errors import OhmnasError

GIB = 1 << 30


class LimitError(OhmnasError, RuntimeError):
    """A measurement took more time or memory than it may."""


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What one measurement may take; None is no limit."""

    seconds: float | None = None
    """Wall-clock seconds."""
    gib: float | None = None
    """Memory in GiB beyond what the process holds already."""


NO_LIMITS = RowLimits()


@contextmanager
def guarded(limits: RowLimits) -> Iterator[Callable[..., None]]:
    """Hold what runs inside to limits.

    Gives a function to be called now and then, with any arguments, that raises when the time is over. Memory is limited
    by the operating system; an allocation beyond the limit fails.

    Raises:
        LimitError: a limit was exceeded; its text names it.
    """
    end = time.monotonic() + limits.seconds if limits.seconds else None

    def check(*_: object) -> None:
        if end is not None and time.monotonic() > end:
            raise LimitError(f"stopped after {limits.seconds:g} s, the limit for a row")

    if not limits.gib:
        yield check
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _address_space() + int(limits.gib * GIB)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield check
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise LimitError(f"needs more than {limits.gib:g} GiB, the limit for a row") from error
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    """Bytes of this process's address space (Linux)."""
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
