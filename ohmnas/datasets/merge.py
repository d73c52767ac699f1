"""Several stores and tables as one: each row once, nothing mixed that was measured differently."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ohmnas.datasets import schema
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store, identity
from ohmnas.datasets.table import read_table
from ohmnas.errors import BrokenFileError, InvalidValueError

_SQLITE: Final = b"SQLite format 3\0"
"""How a store's file begins."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of one source."""

    source: str
    rows: int
    """In the source."""
    new: int
    """That the store did not have."""
    other_results: int
    """That the store had with other accuracies, as another machine's arithmetic gives them; the store's stay."""


def merge(target: Path, sources: Iterable[str], salvage: bool = False) -> list[Merged]:
    """Add the rows of stores and tables to a store; the first row of an identity stays.

    All sources are read and checked before anything is written, and each is written in one transaction.

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
    read = [(source, _rows(source, salvage)) for source in sources]
    known: dict[tuple[object, ...], tuple[str, Row]] = {}
    if target.is_file():
        _check_alike(str(target), _rows(str(target), False), known)
    for source, rows in read:
        _check_alike(source, rows, known)
    done = []
    with Store(target) as store:
        for source, rows in read:
            there = {identity(row): row for row in store.rows()}
            other = [row for row in rows if identity(row) in there and _results(row) != _results(there[identity(row)])]
            done.append(Merged(source, len(rows), store.add(rows), len(other)))
    return done


def _rows(source: str, salvage: bool) -> list[Row]:
    if not _is_store(Path(source)):
        return list(read_table(source).rows())
    if not salvage:
        with Store(Path(source), must_exist=True) as store:
            return store.rows()
    try:
        with Store(Path(source), must_exist=True) as store:
            return store.readable_rows()
    except BrokenFileError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError):  # it is of a newer version, or no store
            raise
        raise BrokenFileError(f"nothing of {source} can be read any more: {error.__cause__}") from error


def _is_store(path: Path) -> bool:
    if path.suffix in (".sqlite", ".db"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:  # the name of a table, or nothing
        return False


def _check_alike(source: str, rows: list[Row], known: dict[tuple[object, ...], tuple[str, Row]]) -> None:
    for row in rows:
        key = tuple(row[name] for name in ("task", "hardware", "fidelity"))
        first, expected = known.setdefault(key, (source, row))
        for name in schema.SETTING_COLUMNS:
            if row[name] != expected[name]:
                raise InvalidValueError(
                    f"{source} has rows of {key[0]} on {key[1]} at fidelity {key[2]} with {name} {row[name]}, but "
                    f"those of {first} have {expected[name]}: they do not belong into one table"
                )


def _results(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in ("status", *schema.ACCURACY_COLUMNS))
