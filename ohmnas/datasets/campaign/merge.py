"""Merge stores and tables into one store.

Each row is kept once. Rows of the same task, hardware and fidelity must have the same settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ohmnas.datasets.campaign.choices import Key
from ohmnas.datasets.campaign.salvage import salvaged
from ohmnas.datasets.campaign.store import Identity, Store, check_alike, identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError
from ohmnas.files import is_file, opened
from ohmnas.spaces.catalogue import kind_with
from ohmnas.spaces.genes import Population
from ohmnas.targets import DEFAULTS

_SQLITE: Final = b"SQLite format 3\0"
"""First bytes of a store's file."""
_LARGEST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Merged:
    """Number of rows of one source, by outcome."""

    source: str
    rows: int
    """Rows in the source."""
    new: int
    """Rows that were added, or that replaced a stored row without accuracies."""
    other_results: int
    """Rows whose accuracies differ from the stored ones, for example from another machine. The stored rows are kept."""


def merge(target: str | Path, sources: Iterable[str | Path], salvage: bool = False) -> list[Merged]:
    """Add the rows of stores and tables to a store.

    If several rows have the same identity, the first one with accuracies is kept, or the first one if none has
    accuracies.

    All sources are read and checked before anything is written. The rows of each source are written in one transaction.
    The selections of an active campaign are copied if the store has no selections for the same campaign.

    Args:
        target: the store, created if missing.
        sources: paths of stores, and names or paths of tables.
        salvage: copy all readable rows of damaged stores.

    Raises:
        UnknownNameError: a source does not exist.
        BrokenFileError: a source is damaged, or no row of any source can be salvaged.
        InvalidValueError: rows of the same task, hardware and fidelity have different settings; the rows belong to
            different spaces; a table was not measured by a campaign; or a source has selections but no rows.
        StorageError: the write failed.
    """
    target = Path(target)
    read = [(str(source), *_read(source, salvage)) for source in sources]
    if salvage and not any(rows for _, rows, _ in read):
        raise BrokenFileError(f"no row of {', '.join(source for source, *_ in read)} can be read; nothing was written")
    known: dict[tuple[object, ...], tuple[str, Row]] = {}
    if is_file(target):
        with Store(target) as store:
            check_alike(str(target), store.rows(), known)
    for source, rows, _ in read:
        check_alike(source, rows, known)
    done = []
    if without := [source for source, rows, choices in read if choices and not rows]:
        raise InvalidValueError(f"{without[0]} has selections of an active campaign, but no rows: leave it out")
    kinds = {kind_with(rows[0]) for _, rows, _ in read if rows}
    if len(kinds) > 1:
        raise InvalidValueError("rows of different spaces cannot be in one store")
    with Store(target, kind=next(iter(kinds), None)) as store:
        for source, rows, choices in read:
            there = _results(store.rows())
            new = store.take_over(rows)
            other = sum(there.get(key, result) != result for key, result in _results(rows).items())
            for key, population in choices.items():
                store.choose(key, population, after=0)
            done.append(Merged(source, len(rows), new, other))
    return done


def _read(source: str | Path, salvage: bool) -> tuple[list[Row], dict[Key, Population]]:
    """Return the rows of a source and the selections of its active campaigns. A table has no selections."""
    path = Path(source)
    if not _is_store(path):
        table = read_table(source)
        if table.targets != DEFAULTS:
            raise InvalidValueError(f"the rows of {source} were not measured by a campaign, so no store can hold them")
        return list(table.rows()), {}
    if salvage:
        return salvaged(path)
    with Store(path, read_only=True) as store:
        return store.rows(), store.choices()


def _is_store(path: Path) -> bool:
    if path.suffix in (".sqlite", ".db"):
        return True
    try:
        with opened(path, _LARGEST) as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OhmnasError:  # the name of a table, or an unknown name
        return False


def _results(rows: Iterable[Row]) -> dict[Identity, tuple[object, ...]]:
    """Map the identity of each successful row to its accuracies."""
    return {
        identity(row): tuple(row[name] for name in schema.ACCURACY_COLUMNS)
        for row in rows
        if row["status"] == schema.STATUS_OK
    }
