"""Several stores and tables as one: each row once, nothing mixed that was measured differently."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Key, Store, check_alike, identity
from ohmnas.datasets.table import faults, read_table
from ohmnas.datasets.task import TASKS
from ohmnas.errors import BrokenFileError
from ohmnas.files import is_file
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

_SQLITE: Final = b"SQLite format 3\0"
"""How a store's file begins."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of one source."""

    source: str
    rows: int
    """In the source."""
    new: int
    """That the store did not have, or had failed."""
    other_results: int
    """That the store had with other accuracies, as another machine's arithmetic gives them; the store's stay."""


def merge(target: Path, sources: Iterable[str], salvage: bool = False) -> list[Merged]:
    """Add the rows of stores and tables to a store; the first row of an identity stays, unless it failed.

    All sources are read and checked before anything is written, and each is written in one transaction. What a campaign
    chose to measure next comes along, where the store has nothing of that campaign.

    Args:
        target: the store, made if missing.
        sources: paths of stores, names or paths of tables.
        salvage: take what can be read of damaged stores.

    Raises:
        UnknownNameError: there is no such source.
        BrokenFileError: a source is damaged.
        InvalidValueError: rows of the same chip and fidelity names were measured otherwise than those before.
        StorageError: the disk refuses.
    """
    read = [(source, *_read(source, salvage)) for source in sources]
    known: dict[tuple[object, ...], tuple[str, Row]] = {}
    if is_file(target):
        with Store(target) as store:
            check_alike(str(target), store.rows(), known)
    for source, rows, _ in read:
        check_alike(source, rows, known)
    done = []
    with Store(target) as store:
        for source, rows, choices in read:
            there = {identity(row): row for row in store.rows()}
            new = store.add(rows)
            stayed = {identity(row): row for row in store.rows()}
            other = [row for row in rows if identity(row) in there and _results(row) != _results(stayed[identity(row)])]
            for key, population in choices.items():
                store.choose(key, population, after=0)
            done.append(Merged(source, len(rows), new, len(other)))
    return done


def _read(source: str, salvage: bool) -> tuple[list[Row], dict[Key, Population]]:
    """Rows, and what campaigns chose."""
    if not _is_store(Path(source)):
        return list(read_table(source).rows()), {}
    if not salvage:
        with Store(Path(source), read_only=True) as store:
            return store.rows(), {key: store.chosen(key) for key in store.choices()}
    try:
        with Store(Path(source), must_exist=True) as store:
            rows, choices = _whole(store.readable_rows()), {}
            with suppress(BrokenFileError, ValueError):  # a campaign then chooses anew
                choices = {key: store.chosen(key) for key in store.choices()}
            return rows, choices
    except BrokenFileError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError):  # it is of a newer version, or no store
            raise
        raise BrokenFileError(f"nothing of {source} can be read any more: {error.__cause__}") from error


def _whole(rows: list[Row]) -> list[Row]:
    """Those of a damaged store that a table would take; of a task that is not built in, whatever its costs."""
    frame = pd.DataFrame(rows, columns=list(schema.COLUMNS)).astype(dict.fromkeys(schema.FLOAT_COLUMNS, np.float64))
    broken = np.zeros(len(rows), dtype=bool)
    for name, some in frame.groupby("task"):
        known = name in TASKS
        space = TASKS[str(name)].space if known else ResNetSpace((1, 8, 8), 10)
        for wrong, column, _ in faults(some, space):
            if known or column not in schema.COST_COLUMNS:
                broken[some.index[wrong]] = True
    return [row for row, lost in zip(rows, broken, strict=True) if not lost]


def _is_store(path: Path) -> bool:
    if path.suffix in (".sqlite", ".db"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:  # the name of a table, or nothing
        return False


def _results(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in ("status", *schema.ACCURACY_COLUMNS))
