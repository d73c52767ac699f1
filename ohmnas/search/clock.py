"""Deadline of a search. Long steps within a generation check it too."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """The deadline of the running search; it never passes while no search runs."""

    def __init__(self) -> None:
        """Create a clock without a deadline."""
        self._now: Callable[[], float] = time.perf_counter
        self._end = math.inf

    @contextmanager
    def running(self, seconds: float, now: Callable[[], float]) -> Iterator[None]:
        """Set a deadline for the block.

        Args:
            seconds: time from now.
            now: returns the time in seconds.
        """
        before = self._now, self._end
        self._now, self._end = now, now() + seconds
        try:
            yield
        finally:
            self._now, self._end = before

    def is_up(self) -> bool:
        """Return True if the deadline has passed."""
        return self._end < math.inf and self._now() > self._end
