"""What people see: tables and progress on the terminal; JSON for machines. The only file that prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

_PIPE_WIDTH = 120
"""Columns where no terminal says how many it has."""

_out = Console(highlight=False)
if not _out.is_terminal:
    _out.width = _PIPE_WIDTH
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def machine(values: dict[str, Any]) -> None:
    """One JSON object on standard output; NaN and infinity, which JSON does not have, are the caller's bug."""
    print(json.dumps(values, allow_nan=False))  # noqa: T201


def line(text: str) -> None:
    """One line of plain text."""
    _out.print(text, markup=False, soft_wrap=True)


def error(text: str) -> None:
    """One sentence on standard error."""
    _err.print(f"ohmnas: error: {text}", markup=False)


def notice(text: str) -> None:
    """A remark on standard error, so that standard output stays clean."""
    _err.print(text, markup=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """A table; all columns but the first are set to the right."""
    grid = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for index, column in enumerate(columns):
        grid.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    _out.print(grid)


class Meter:
    """A progress bar on standard error with a text that its owner sets."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        """Wrap a running progress bar."""
        self._progress = progress
        self._task = task

    def advance(self, to: int, text: str) -> None:
        """Move to step `to` and show `text`."""
        self._progress.update(self._task, completed=to, note=text)


@contextmanager
def meter(title: str, total: int, show: bool) -> Iterator[Meter]:
    """A progress bar while the block runs; hidden if `show` is false or nobody watches a terminal."""
    progress = Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=_err,
        disable=not (show and _err.is_terminal),
        transient=True,
    )
    with progress:
        yield Meter(progress, progress.add_task(title, total=total, note=""))


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
