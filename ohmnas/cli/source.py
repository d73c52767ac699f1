"""Select the training rows for a command from a table."""

from __future__ import annotations

import argparse
from contextlib import suppress
from shlex import quote

from ohmnas.cli.found import FEW_NETWORKS
from ohmnas.datasets.tables.table import MeasuredTable, read_table, shipped_tables
from ohmnas.datasets.tasks.task import task_word
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import has_name
from ohmnas.lookup import suggestion
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate.shipped import shipped_file, tables_of_task


def source_table(name: str, arguments: argparse.Namespace) -> MeasuredTable:
    """Read a shipped table or a file.

    Raises:
        InvalidValueError: the table has no rows for the chip, or its rows with this name have different settings.
    """
    table = read_table(name)
    if arguments.chip is not None:
        table.check_chip(arguments.chip)
    _check_has_rows(table, arguments.hardware, arguments.chip is not None)
    return table


def _check_has_rows(table: MeasuredTable, chip: str | None, from_file: bool) -> None:
    """Check that a table has rows of a chip. Unknown names are left to `MeasuredTable.select`.

    Raises:
        InvalidValueError: the table has none; the message suggests commands to measure some.
    """
    if chip is None or (table.measured["hardware"] == chip).any() or not (from_file or has_name(chip)):
        return
    try:
        table.select(chip)
    except InvalidValueError as error:
        word = quote(chip if has_name(chip) else f"{chip}.toml")
        source, task = quote(table.source), quote(task_word(table.card["task"]))
        raise InvalidValueError(
            f"{error}: measure some networks on it (ohmnas campaign --task {task} --hardware {word}) and train a "
            f"surrogate on them (ohmnas fit --start-from {source}); or search for another chip and measure the result "
            f"on this one (ohmnas campaign --task {task} --found result.json --hardware {word})"
        ) from error


def task_table(arguments: argparse.Namespace) -> MeasuredTable:
    """Return the first table with at least `FEW_NETWORKS` networks of the task on the chip.

    Tables with shipped surrogates come first, then tables with newer protocols. If no table has that many networks, the
    oldest is used.

    Raises:
        UnknownNameError: no table is shipped for the task.
        InvalidValueError: as in `source_table`.
    """
    names = tables_of_task(arguments.task)
    if not names:
        raise UnknownNameError(
            f"no table is shipped for the task {arguments.task!r}; the shipped tables are "
            f"{', '.join(shipped_tables())}{suggestion(shipped_tables(), arguments.task)}"
        )
    for name in sorted(names, key=lambda name: shipped_file(name) is None):
        with suppress(InvalidValueError):
            table = source_table(name, arguments)
            if len(learning_set(table, arguments).population) >= FEW_NETWORKS:
                return table
    return source_table(names[-1], arguments)


def learning_set(table: MeasuredTable, arguments: argparse.Namespace) -> TrainingSet:
    """Return the rows of one chip or, with `--co-design`, of all chips.

    Raises:
        InvalidValueError: `--hardware` is given with `--co-design`, a choice is ambiguous, or no rows match.
    """
    if not arguments.co_design:
        return TrainingSet.of(table, arguments.hardware, arguments.fidelity)
    if arguments.hardware is not None:
        raise InvalidValueError(
            "--co-design uses all chips: remove --hardware; to restrict the search, use --fix TECH=pcm"
        )
    return TrainingSet.of_designs(table, arguments.fidelity)
