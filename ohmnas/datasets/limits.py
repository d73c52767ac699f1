"""Limits of time and memory for one row, so that one monster does not hold up a campaign."""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ohmnas.errors import InvalidValueError, OhmnasError

GIB: Final = 1 << 30
_STATUS: Final = Path("/proc/self/status")
_RESET_PEAK: Final = "5"
"""What Linux wants written to clear_refs (proc(5))."""


class LimitError(OhmnasError, RuntimeError):
    """A measurement took more time or memory than it may."""


@dataclass(frozen=True, slots=True)
class RowLimits:
    """What one measurement may take; None is no limit."""

    seconds: float | None = None
    """Wall-clock seconds."""
    gib: float | None = None
    """Memory in GiB beyond what the process holds before; looked at before each batch."""


NO_LIMITS = RowLimits()


@contextmanager
def guarded(limits: RowLimits) -> Iterator[Callable[[], None]]:
    """Hold what runs inside to limits.

    Gives a function to be called now and then that raises when the time is over or memory has peaked too high since the
    block began. (A hard limit of the system's is no way: an allocation that fails inside of a numerical library leaves
    the library broken for all later rows.)

    Raises:
        InvalidValueError: memory is limited and this system does not say how much a process has.
        LimitError: a limit was exceeded; its text names it.
    """
    end = time.monotonic() + limits.seconds if limits.seconds else None
    most = _begin_peak() + limits.gib * GIB if limits.gib else None

    def check() -> None:
        if end is not None and time.monotonic() > end:
            raise LimitError(f"stopped after {limits.seconds:g} s, the limit for a row")
        if most is not None and _peak() > most:
            raise LimitError(f"needs more than {limits.gib:g} GiB, the limit for a row")

    yield check


def _begin_peak() -> int:
    """Give freed memory back, begin to measure the peak anew, and say what the process holds now, in bytes."""
    if not _STATUS.exists():
        raise InvalidValueError("a limit of memory needs Linux's /proc, which this system does not have")
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):  # the peak of earlier rows counts then, if it was higher
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    return _peak()


def _peak() -> int:
    """The most memory that this process had at once, in bytes."""
    kib = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii", errors="replace"))
    return 1024 * int(kib[1]) if kib else 0
