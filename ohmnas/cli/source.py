"""Which rows of a table a command learns."""

from __future__ import annotations

import argparse

from ohmnas.datasets.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import LearningSet


def source_table(name: str, arguments: argparse.Namespace) -> MeasuredTable:
    """A shipped table or a file.

    Raises:
        InvalidValueError: the chip that a file describes is another than that of the rows of its name.
    """
    table = read_table(name)
    if arguments.chip is not None:
        table.check_chip(arguments.chip)
    return table


def learning_set(table: MeasuredTable, arguments: argparse.Namespace) -> LearningSet:
    """The rows that the arguments ask for: of one chip, or with --co-design of all.

    Raises:
        InvalidValueError: both are asked for, or a choice is left open or empty.
    """
    if not arguments.co_design:
        return LearningSet.of(table, arguments.hardware, arguments.fidelity)
    if arguments.hardware is not None:
        raise InvalidValueError("--co-design learns all chips: leave out --hardware; --fix TECH=pcm bounds the search")
    return LearningSet.of_designs(table, arguments.fidelity)
