"""What people see: tables and progress on the terminal; JSON for machines. The only file that prints."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO
from unicodedata import category

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ohmnas.errors import StorageError

_PIPE_WIDTH = 10_000
"""Columns where no terminal says how many it has: tables are as wide as they are, and nothing of them is cut."""


LOG_SECONDS = 10.0
"""At least between lines of progress where no terminal is."""


class ClosedOutputError(Exception):
    """Whoever read standard output reads no more, as in `ohmnas score ... | head -1`: nothing is wrong."""


class _Console(Console):
    """A console that leaves a broken pipe to us; rich would end the process with 1."""

    def on_broken_pipe(self) -> None:
        """Pass it on."""
        raise BrokenPipeError


_out = _Console(highlight=False, emoji=False)
if not _out.is_terminal:
    _out.width = _PIPE_WIDTH
_err = _Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def visible(text: str) -> str:
    """A text without what a terminal would obey: control characters as Python writes them.

    Names come from files, and a file may come from anybody.
    """
    return "".join(ascii(char)[1:-1] if category(char) in _OBEYED and char not in "\n\t" else char for char in text)


_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control and format characters, halves of pairs, and what is no character."""


@contextmanager
def _standard_output() -> Iterator[None]:
    """What writes to standard output.

    Raises:
        ClosedOutputError: nobody reads it.
        StorageError: it is a file and the disk is full, or the like.
    """
    try:
        yield
    except BrokenPipeError as error:
        _discard(sys.stdout)
        raise ClosedOutputError from error
    except OSError as error:
        _discard(sys.stdout)
        raise StorageError(f"cannot write to standard output: {error.strerror or error}") from error


def _discard(stream: TextIO) -> None:
    """Send what a stream still holds nowhere, or Python would try to write it once more when it ends."""
    with suppress(OSError, ValueError, AttributeError):  # a stream may be none, closed, or no file of the system
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def flush() -> None:
    """Write what is still buffered, while somebody can be told that it fails.

    Raises:
        ClosedOutputError, StorageError: as every function here that writes to standard output.
    """
    with _standard_output():
        if sys.stdout is not None:
            sys.stdout.flush()


def machine(values: dict[str, Any]) -> None:
    """One JSON object on standard output; NaN and infinity, which JSON does not have, are the caller's bug."""
    with _standard_output():
        print(json.dumps(values, allow_nan=False))  # noqa: T201


def line(text: str) -> None:
    """One line of plain text."""
    with _standard_output():
        _out.print(visible(text), markup=False, soft_wrap=True)


def error(text: str) -> None:
    """One sentence on standard error."""
    notice(f"ohmnas: error: {text}")


def notice(text: str) -> None:
    """A remark on standard error, so that standard output stays clean; lost if nobody can read it."""
    try:
        _err.print(visible(text), markup=False)
    except OSError:
        _discard(sys.stderr)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """A table; all columns but the first are set to the right. No text is markup: names may come from files."""
    grid = Table(
        title=None if title is None else Text(visible(title)), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False
    )
    for index, column in enumerate(columns):
        grid.add_column(Text(visible(column)), justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    if _out.is_terminal:
        with _standard_output():
            _out.print(grid)
    else:  # blanks behind lines are for the eye only where colours are
        with _out.capture() as captured:
            _out.print(grid)
        for text in captured.get().splitlines():
            line(text.rstrip())


class Meter:
    """A progress bar on standard error with a text that its owner sets; a line now and then where no terminal is."""

    def __init__(self, progress: Progress, task: TaskID, log: str | None) -> None:
        """Wrap a running progress bar.

        Args:
            progress: the bar.
            task: of the bar.
            log: what lines begin with, None for none.
        """
        self._progress = progress
        self._task = task
        self._log = log
        self._next_line = time.monotonic() + LOG_SECONDS

    def begin(self, to: float, text: str) -> None:
        """Begin at step `to`; where no terminal is, a line says so at once, and the next one after the next step."""
        self._next_line = time.monotonic()
        self.advance(to, text)
        self._next_line = time.monotonic()

    def advance(self, to: float, text: str) -> None:
        """Move to step `to` and show `text`."""
        self._progress.update(self._task, completed=to, note=visible(text))
        if self._log is not None and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LOG_SECONDS
            total = self._progress.tasks[self._task].total
            notice(f"{self._log}{'' if total is None else f': {to:g} of {total:g}'}{text and f', {text}'}")


@contextmanager
def meter(title: str, total: int | None, show: bool) -> Iterator[Meter]:
    """A progress bar while the block runs, or lines where no terminal is; nothing if `show` is false.

    Args:
        title: what is done.
        total: steps; None where nobody knows how far it is.
        show: whether a person reads along.
    """
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *([] if total is None else [MofNCompleteColumn()]),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=_err,
        disable=not (show and _err.is_terminal),
        transient=True,
    )
    task = progress.add_task(visible(title), total=total, note="")
    with suppress(OSError):  # the terminal may be closed
        progress.start()
    try:
        yield Meter(progress, task, title if show and not _err.is_terminal else None)
    finally:
        with suppress(OSError):
            progress.stop()


def percent(value: float) -> str:
    """A fraction as percent with two decimals."""
    return f"{100 * value:.2f} %"


def points(value: float) -> str:
    """A difference of fractions in percentage points."""
    return f"{100 * value:+.2f} pt"


def duration(seconds: float) -> str:
    """Seconds as a person would say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
