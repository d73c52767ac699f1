"""Terminal output: tables, progress and JSON. The only module that prints."""

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
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ohmnas.errors import StorageError

_PIPE_WIDTH = 10_000
"""Console width in columns if the output is not a terminal: tables keep their full width."""


LOG_SECONDS = 10.0
"""Shortest time in seconds between progress lines, if standard error is not a terminal."""


class ClosedOutputError(Exception):
    """The reader of standard output closed it, as in `ohmnas score ... | head -1`. This is not an error."""


class _Console(Console):
    """A console that raises `BrokenPipeError`; rich would end the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`, which `_standard_output` converts."""
        raise BrokenPipeError


_out = _Console(highlight=False, emoji=False)
if not _out.is_terminal:
    _out.width = _PIPE_WIDTH
_err = _Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


_quiet = False


@contextmanager
def printing(quiet: bool) -> Iterator[None]:
    """Print everything inside the block. If quiet, print only warnings, errors and JSON."""
    global _quiet  # noqa: PLW0603 - a process prints for one command at a time
    before, _quiet = _quiet, quiet
    try:
        yield
    finally:
        _quiet = before


def visible(text: str) -> str:
    """Escape control characters as Python does.

    Names can come from files of unknown origin, and a terminal would execute control sequences in them.
    """
    return "".join(ascii(char)[1:-1] if category(char) in _OBEYED and char not in "\n\t" else char for char in text)


_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format, surrogate, private-use, unassigned; line and paragraph separators."""


@contextmanager
def _standard_output() -> Iterator[None]:
    """Convert errors from writes to standard output.

    Raises:
        ClosedOutputError: the reader closed it.
        StorageError: the write failed, for example on a full disk.
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
    """Redirect the stream to the null device. Otherwise Python would write its buffer again at exit."""
    with suppress(OSError, ValueError, AttributeError):  # the stream may be None, closed, or have no file descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def flush() -> None:
    """Flush standard output while an error can still be reported.

    Raises:
        ClosedOutputError, StorageError: see `_standard_output`.
    """
    with _standard_output():
        if sys.stdout is not None:
            sys.stdout.flush()


def machine(values: dict[str, Any]) -> None:
    """Print one JSON object. NaN and infinity are not valid JSON and raise `ValueError`."""
    with _standard_output():
        print(json.dumps(values, allow_nan=False))  # noqa: T201


def line(text: str) -> None:
    """Print one line of plain text."""
    if _quiet:
        return
    with _standard_output():
        _out.print(visible(text), markup=False, soft_wrap=True)


def error(text: str) -> None:
    """Print an error on standard error."""
    _warn(f"ohmnas: error: {text}")


def warning(text: str) -> None:
    """Print a warning on standard error."""
    _warn(f"warning: {text}")


def notice(text: str) -> None:
    """Print a note on standard error, unless the command is quiet."""
    if not _quiet:
        _warn(text)


def _warn(text: str) -> None:
    """Print on standard error. The text is dropped if standard error is closed."""
    try:
        _err.print(visible(text), markup=False)
    except OSError:
        _discard(sys.stderr)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print a table; all columns but the first are right-aligned. Text is never parsed as markup."""
    if _quiet:
        return
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
    else:  # trailing spaces are useful only on a terminal
        with _out.capture() as captured:
            _out.print(grid)
        for text in captured.get().splitlines():
            line(text.rstrip())


class Meter:
    """A progress bar with a note, on standard error. Without a terminal, progress lines replace the bar."""

    def __init__(self, progress: Progress, task: TaskID, log: str | None) -> None:
        """Wrap a running progress bar.

        Args:
            progress: the bar.
            task: id of the bar's task.
            log: prefix of progress lines; None prints no lines.
        """
        self._progress = progress
        self._task = task
        self._log = log
        self._next_line = time.monotonic() + LOG_SECONDS

    def of(self, total: int) -> None:
        """Set the number of steps once it is known."""
        self._progress.update(self._task, total=total)

    def begin(self, to: float, text: str) -> None:
        """Start at step `to`. Without a terminal, print a line now and the next line at the next step."""
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
    """Show a progress bar while the block runs. Without a terminal, print progress lines.

    Args:
        title: title of the bar.
        total: number of steps; None if unknown.
        show: False shows nothing.
    """
    show = show and not _quiet
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *([] if total is None else [MofNCompleteColumn(), TimeRemainingColumn(compact=True), TextColumn("left,")]),
        TimeElapsedColumn(),
        TextColumn("elapsed"),
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
    """Format a fraction as a percentage with two decimals."""
    return f"{100 * value:.2f} %"


def points(value: float) -> str:
    """Format a difference of fractions in percentage points, with its sign."""
    return f"{100 * value:+.2f} pt"


def duration(seconds: float) -> str:
    """Format seconds as seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
