"""Time and memory limits for each row, so one huge network cannot stop a campaign."""

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
"""Value that resets the peak memory in clear_refs (Linux, proc(5))."""


class LimitError(OhmnasError, RuntimeError):
    """A measurement exceeded its time or memory limit."""


@dataclass(frozen=True, slots=True)
class RowLimits:
    """Limits of one measurement; None means no limit."""

    seconds: float | None = None
    """Wall-clock seconds."""
    gib: float | None = None
    """Memory in GiB, in addition to the memory that the process already uses; checked before each batch."""


NO_LIMITS = RowLimits()


class Watch:
    """Callback that raises if a measurement exceeds its limits.

    A hard limit set by the operating system would not work: a failed allocation inside a numerical library breaks the
    library for all later rows.
    """

    def __init__(self, limits: RowLimits) -> None:
        """Start the clock, and reset the peak memory if memory is limited.

        Raises:
            InvalidValueError: memory is limited and this system does not report a process's memory.
        """
        self._limits = limits
        self._end = time.monotonic() + limits.seconds if limits.seconds is not None else math.inf
        self._most = _begin_peak() + limits.gib * GIB if limits.gib is not None else math.inf
        self._reading: float | None = None

    def next_reading(self) -> None:
        """Start reading another kind of chip. The new row's time does not include reading the previous chip."""
        now = time.monotonic()
        if self._reading is not None:
            self._end += now - self._reading
            if self._limits.gib is not None:
                _begin_peak()
        self._reading = now

    def __call__(self) -> None:
        """Check time and memory.

        Raises:
            LimitError: a limit was exceeded; the message names it.
        """
        if time.monotonic() > self._end:
            raise LimitError(f"stopped after {self._limits.seconds:g} s, the limit for a row")
        if self._most < math.inf and _peak() > self._most:
            raise LimitError(f"needs more than {self._limits.gib:g} GiB, the limit for a row")


def _begin_peak() -> int:
    """Free memory, reset the peak, and return the current memory in bytes."""
    if not _STATUS.exists():
        raise InvalidValueError("a memory limit needs Linux's /proc, which this system does not have")
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):  # if the reset fails, a higher peak from earlier rows counts
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    return _peak()


def _peak() -> int:
    """Return the peak memory of this process in bytes."""
    kib = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii", errors="replace"))
    return 1024 * int(kib[1]) if kib else 0
