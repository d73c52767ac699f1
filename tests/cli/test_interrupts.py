"""Signals that ask a command to end."""

from __future__ import annotations

import argparse
import signal
import threading

import pytest

from ohmnas.cli import fit
from ohmnas.cli.interrupts import ending_as_interrupts

from .conftest import Ohmnas

ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("number", ENDS)
def test_signals_interrupt_only_inside_the_context(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt), ending_as_interrupts():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ENDS)
def test_ignored_and_handled_signals_stay_so(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    try:
        for answer in (signal.SIG_IGN, lambda *_: None):
            signal.signal(number, answer)
            with ending_as_interrupts():
                signal.raise_signal(number)
                assert signal.getsignal(number) is answer
    finally:
        signal.signal(number, before)


def test_another_thread_leaves_signals_alone() -> None:
    seen: list[object] = []

    def look() -> None:
        with ending_as_interrupts():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("number", ENDS)
def test_every_command_ends_as_after_ctrl_c(
    number: signal.Signals, ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(arguments: argparse.Namespace) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(fit, "run", run)
    before = signal.getsignal(number)
    signal.signal(number, signal.SIG_DFL)
    try:
        done = ohmnas("fit", "--table", "digits", "--out", "s")
    finally:
        signal.signal(number, before)
    assert (done.code, done.out, done.err) == (130, "", "ohmnas: error: interrupted\n")
