"""Limits of time and memory for one row, so that one monster does not hold up a campaign."""

from __future__ import annotations

import ctypes
import math
import re
import time
from contextlib import suppress
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


class Watch:
    """Holds a measurement to limits: to be called now and then, it raises when time or memory was too much.

    A hard limit of the system's is no way: an allocation that fails inside of a numerical library leaves the library
    broken for all later rows.
    """

    def __init__(self, limits: RowLimits) -> None:
        """Begin.

        Raises:
            InvalidValueError: memory is limited and this system does not say how much a process has.
        """
        self._limits = limits
        self._end = time.monotonic() + limits.seconds if limits.seconds else math.inf
        self._most = _begin_peak() + limits.gib * GIB if limits.gib else math.inf
        self._reading: float | None = None

    def next_reading(self) -> None:
        """Begin to read another kind of chip: what was spent on reading the one before is not of its row."""
        now = time.monotonic()
        if self._reading is not None:
            self._end += now - self._reading
            if self._limits.gib:
                _begin_peak()
        self._reading = now

    def __call__(self) -> None:
        """Look at the clock and the memory.

        Raises:
            LimitError: a limit was exceeded; its text names it.
        """
        if time.monotonic() > self._end:
            raise LimitError(f"stopped after {self._limits.seconds:g} s, the limit for a row")
        if self._most < math.inf and _peak() > self._most:
            raise LimitError(f"needs more than {self._limits.gib:g} GiB, the limit for a row")


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
