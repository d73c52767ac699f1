"""Which rows of a table a command learns."""

from __future__ import annotations

import argparse
from shlex import quote

from ohmnas.datasets.table import MeasuredTable, read_table
from ohmnas.datasets.task import task_word
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import has_name
from ohmnas.surrogate import LearningSet


def source_table(name: str, arguments: argparse.Namespace) -> MeasuredTable:
    """A shipped table or a file.

    Raises:
        InvalidValueError: the chip that a file describes is another than that of the rows of its name.
    """
    table = read_table(name)
    if arguments.chip is not None:
        table.check_chip(arguments.chip)
    _check_has_rows(table, arguments.hardware, arguments.chip is not None)
    return table


def _check_has_rows(table: MeasuredTable, chip: str | None, from_file: bool) -> None:
    """Say what can be done for a chip that a table has no rows of; a name of no chip is left to the table.

    Raises:
        InvalidValueError: it has none.
    """
    if chip is None or (table.measured["hardware"] == chip).any() or not (from_file or has_name(chip)):
        return
    try:
        table.select(chip)
    except InvalidValueError as error:
        word = quote(chip if has_name(chip) else f"{chip}.toml")
        source, task = quote(table.source), quote(task_word(table.card["task"]))
        raise InvalidValueError(
            f"{error}: measure some networks on it, ohmnas campaign --task {task} --hardware {word}, and learn these "
            f"with ohmnas fit --start-from {source}; or search for another chip, and measure what that finds on this "
            f"one, ohmnas campaign --task {task} --found result.json --hardware {word}"
        ) from error


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
