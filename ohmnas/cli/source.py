"""Which rows of a table a command learns."""

from __future__ import annotations

import argparse

from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError


def check_source(table: MeasuredTable, arguments: argparse.Namespace) -> None:
    """Check that the user chose where a table leaves a choice; the library's own message cannot name an option.

    Args:
        table: what will be learned.
        arguments: with what `add_source` added.

    Raises:
        InvalidValueError: there are several chips or fidelities and none is chosen; the message has the option.
    """
    frame = table.measured
    for column, several in (("hardware", "chips"), ("fidelity", "fidelities")):
        chosen = getattr(arguments, column)
        there = sorted(set(frame[column]))
        if chosen is None and len(there) > 1:
            raise InvalidValueError(
                f"table {table.source} has rows of several {several}: choose one with --{column}, of {', '.join(there)}"
            )
        if chosen is not None:
            frame = frame[frame[column] == chosen]
