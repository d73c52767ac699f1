"""Several stores and tables as one: each row once, nothing mixed that was measured differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ohmnas.datasets import schema
from ohmnas.datasets.choices import Key
from ohmnas.datasets.salvage import salvaged
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Identity, Store, check_alike, identity
from ohmnas.datasets.table import read_table
from ohmnas.files import is_file
from ohmnas.spaces.genes import Population

_SQLITE: Final = b"SQLite format 3\0"
"""How a store's file begins."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of one source."""

    source: str
    rows: int
    """In the source."""
    new: int
    """That the store did not have, or that did not fail where the store's had."""
    other_results: int
    """That the store had with other accuracies, as another machine's arithmetic gives them; the store's stay."""


def merge(target: str | Path, sources: Iterable[str | Path], salvage: bool = False) -> list[Merged]:
    """Add the rows of stores and tables to a store; the first row of an identity stays, unless it alone failed.

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
    target = Path(target)
    read = [(str(source), *_read(source, salvage)) for source in sources]
    known: dict[tuple[object, ...], tuple[str, Row]] = {}
    if is_file(target):
        with Store(target) as store:
            check_alike(str(target), store.rows(), known)
    for source, rows, _ in read:
        check_alike(source, rows, known)
    done = []
    with Store(target) as store:
        for source, rows, choices in read:
            there = _results(store.rows())
            new = store.take_over(rows)
            other = sum(there.get(key, result) != result for key, result in _results(rows).items())
            for key, population in choices.items():
                store.choose(key, population, after=0)
            done.append(Merged(source, len(rows), new, other))
    return done


def _read(source: str | Path, salvage: bool) -> tuple[list[Row], dict[Key, Population]]:
    """Rows, and what campaigns chose."""
    path = Path(source)
    if not _is_store(path):
        return list(read_table(source).rows()), {}
    if salvage:
        return salvaged(path)
    with Store(path, read_only=True) as store:
        return store.rows(), store.choices()


def _is_store(path: Path) -> bool:
    if path.suffix in (".sqlite", ".db"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:  # the name of a table, or nothing
        return False


def _results(rows: Iterable[Row]) -> dict[Identity, tuple[object, ...]]:
    """The accuracies of those that did not fail."""
    return {
        identity(row): tuple(row[name] for name in schema.ACCURACY_COLUMNS)
        for row in rows
        if row["status"] == schema.STATUS_OK
    }
