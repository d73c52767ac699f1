"""Handle SIGTERM and SIGHUP like Ctrl-C: a command saves its work and ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

_ENDS: Final = ("SIGTERM", "SIGHUP")
"""Signals from a batch system and from a closed terminal. Some systems lack one of them."""


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def ending_as_interrupts() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on a termination signal inside the block. Ignored signals (`nohup`) stay ignored."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signal handlers
        yield
        return
    numbers = [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    asked = [number for number in numbers if before[number] is signal.SIG_DFL]
    for number in asked:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in asked:
            signal.signal(number, before[number])
