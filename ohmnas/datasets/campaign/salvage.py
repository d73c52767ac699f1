"""Salvage the readable rows of a damaged store. All work is on a copy; the store stays unchanged."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from ohmnas.datasets.campaign.choices import Key, stored_choices
from ohmnas.datasets.campaign.layout import CHECKSUM, HEADER, Layout, checksum, size_in_header, stored_schema
from ohmnas.datasets.campaign.store import identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import cell_fault
from ohmnas.datasets.tables.faults import faults
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError, in_short
from ohmnas.files import is_file
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

_SMALLEST_ROW: Final = 100
"""Smallest size of a row in bytes."""
_MOST_LOST: Final = 64
"""Largest plausible ratio of original to remaining size; a header that states a larger size is damaged."""


def salvaged(path: str | Path) -> tuple[list[Row], dict[Key, Population]]:
    """Return the intact rows of a damaged store, sorted by identity, and the selections of active campaigns.

    Rows are read one by one, and damaged rows are skipped. Rows of an older schema get the missing columns. If any
    selection is damaged, none is returned, and campaigns select again.

    Raises:
        UnknownNameError: the file does not exist.
        BrokenFileError: nothing can be read, or the file is not a store or was written by a newer version.
        StorageError: the file cannot be copied.
    """
    path = Path(path)
    if not is_file(path):
        raise UnknownNameError(f"there is no store {path}")
    try:
        with TemporaryDirectory() as folder:
            return _read(_copied(path, Path(folder)), path)
    except OSError as error:
        raise StorageError(f"cannot copy {path} to salvage it: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        raise BrokenFileError(f"no data in {path} can be read: {in_short(error, 200)}") from error


def _copied(path: Path, folder: Path) -> Path:
    """Copy a store and its logs, which contain writes that are not yet in the file."""
    original = path.resolve()  # SQLite looks for a log next to the target of a link
    copy = folder / "copy.sqlite"
    for ending in ("-wal", "-journal", ""):  # logs first: a running process moves data from the log to the file
        with suppress(FileNotFoundError) if ending else nullcontext():
            shutil.copyfile(f"{original}{ending}", f"{copy}{ending}")
    return copy


def _padded(copy: Path) -> tuple[int, str]:
    """Extend a truncated file to the size in its header, because SQLite cannot read a shorter file.

    Returns:
        Size of the file and its logs in bytes, which limits the number of rows, and a description of the truncation, if
        any.
    """
    size = sum(file.stat().st_size for file in copy.parent.iterdir())  # with the log
    with copy.open("r+b") as file:
        header = file.read(HEADER)
        if len(header) < HEADER:
            return size, ""
        claimed = size_in_header(header)
        if (there := copy.stat().st_size) < claimed <= _MOST_LOST * size:
            file.truncate(claimed)
            return max(size, claimed), f"the file is truncated ({there:,} of {claimed:,} bytes)"
    return size, ""


def _read(copy: Path, path: Path) -> tuple[list[Row], dict[Key, Population]]:
    size, cut_off = _padded(copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        version, layout = stored_schema(connection, path)
        found = list(_readable(connection, version, layout, size // _SMALLEST_ROW)) if version else []
        rows = _whole(found, layout.kind)
        if cut_off and not rows:
            raise BrokenFileError(f"no data in {path} can be read: {cut_off}")
        with suppress(sqlite3.DatabaseError, ValueError, TypeError, OverflowError):
            return rows, stored_choices(connection, path, layout.kind)
    return rows, {}


def _readable(connection: sqlite3.Connection, version: int, layout: Layout, most: int) -> Iterator[Row]:
    """Yield the rows with valid cells, converted to the current schema.

    Args:
        connection: connection to the copy.
        version: version of the store's schema.
        layout: columns of the store.
        most: largest possible number of rows, from the file's size, because the file's own count may be damaged.
    """
    for rowid in range(1, most + 1):
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError, OverflowError):
            cells = connection.execute("SELECT * FROM rows WHERE rowid=?", (rowid,))
            if (values := cells.fetchone()) is not None:
                stored = dict(zip((name for name, *_ in cells.description), values, strict=True))
                stored |= schema.added_since(version, str(stored["hardware"]))
                row = {name: stored.get(name) for name in layout.columns}
                known = stored.get(CHECKSUM)
                changed = known is not None and known != checksum(row.values(), layout.columns)
                if changed and version == schema.SCHEMA_VERSION:
                    continue  # a damaged row
                if not any(cell_fault(name, value) for name, value in row.items()):
                    yield row


def _whole(rows: list[Row], kind: type[Space]) -> list[Row]:
    """Return the rows that a table would accept, sorted by identity; costs are checked only for known tasks."""
    columns: dict[str, Any] = {}
    for column in schema.columns(kind.architecture_genes.names):
        cells = [row[column] for row in rows]
        columns[column] = np.array(cells, dtype=np.float64) if column in schema.FLOAT_COLUMNS else cells
    frame = pd.DataFrame(columns)
    broken = np.zeros(len(rows), dtype=bool)
    for name, some in frame.groupby("task"):
        known = name in TASKS
        task = TASKS[str(name)] if known else TASKS["digits"]
        space = kind(task.input_shape, task.classes)
        for wrong, column, _ in faults(some, space):
            if known or column not in schema.COST_COLUMNS:
                broken[some.index[wrong]] = True
    kept = [row for row, lost in zip(rows, broken, strict=True) if not lost]
    return sorted(kept, key=lambda row: repr(identity(row)))
