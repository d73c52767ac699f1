"""Signals that ask a command to end: it ends as after Ctrl-C, with all that it saves then."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

_ENDS: Final = ("SIGTERM", "SIGHUP")
"""What a batch system sends, and a terminal that is closed; not each system has both."""


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


@contextmanager
def ending_as_interrupts() -> Iterator[None]:
    """Within, what asks this process to end is a `KeyboardInterrupt`; what is ignored, as after `nohup`, stays so."""
    if threading.current_thread() is not threading.main_thread():  # only that one may say what signals do
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
