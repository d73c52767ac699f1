"""When a search has to end: what takes long within a generation looks at it too."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Runs while a search does; at other times nothing is ever late."""

    def __init__(self) -> None:
        """No time is set."""
        self._now: Callable[[], float] = time.perf_counter
        self._end = math.inf

    @contextmanager
    def running(self, seconds: float, now: Callable[[], float]) -> Iterator[None]:
        """Set a time for the length of the block.

        Args:
            seconds: from now on.
            now: tells the time in seconds.
        """
        before = self._now, self._end
        self._now, self._end = now, now() + seconds
        try:
            yield
        finally:
            self._now, self._end = before

    def is_up(self) -> bool:
        """Whether the time has come."""
        return self._end < math.inf and self._now() > self._end
