"""What is readable of a damaged store, which stays bit for bit as it is: all work is on a copy."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import COLUMN_TYPES, Key, identity, stored_choices, stored_schema
from ohmnas.datasets.table import faults
from ohmnas.datasets.task import TASKS
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError
from ohmnas.files import is_file
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

_SMALLEST_ROW: Final = 100
"""Bytes that a row takes at least."""
_ALLOWED: Final = {"TEXT": str, "INTEGER": int, "REAL": int | float | None}
"""What a column of a type may hold; where a measurement failed, some numbers are not there."""


def salvaged(path: Path) -> tuple[list[Row], dict[Key, Population]]:
    """The rows of a damaged store that are whole, in the order of their identity, and what campaigns chose.

    Rows are read one by one past what is broken; those of an older schema get the columns that they lack. If what
    campaigns chose is broken anywhere, there is none of it: they then choose anew.

    Raises:
        UnknownNameError: there is no such file.
        BrokenFileError: nothing can be read any more, it is not a store, or was written by a newer version.
        StorageError: it cannot be copied.
    """
    if not is_file(path):
        raise UnknownNameError(f"there is no store {path}")
    try:
        with TemporaryDirectory() as folder:
            return _read(_copied(path, Path(folder)), path)
    except OSError as error:
        raise StorageError(f"cannot copy {path} to salvage it: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        raise BrokenFileError(f"nothing of {path} can be read any more: {error}") from error


def _copied(path: Path, folder: Path) -> Path:
    """Copy a store, and what its last process had not brought into its file yet."""
    original = path.resolve()  # SQLite looks for a log beside the file that a link points to
    copy = folder / "copy.sqlite"
    for ending in ("-wal", "-journal", ""):  # a process that is at work empties its log into the file, not the reverse
        with suppress(FileNotFoundError) if ending else nullcontext():
            shutil.copyfile(f"{original}{ending}", f"{copy}{ending}")
    return copy


def _read(copy: Path, path: Path) -> tuple[list[Row], dict[Key, Population]]:
    most = sum(file.stat().st_size for file in copy.parent.iterdir()) // _SMALLEST_ROW
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        version = stored_schema(connection, path)
        rows = _whole(list(_readable(connection, version, most))) if version else []
        with suppress(sqlite3.DatabaseError, ValueError, TypeError, OverflowError):
            return rows, stored_choices(connection)
    return rows, {}


def _readable(connection: sqlite3.Connection, version: int, most: int) -> Iterator[Row]:
    """Rows of this schema whose cells hold what their columns are for; most: how many there may be at most."""
    with suppress(sqlite3.DatabaseError):
        most = min(most, connection.execute("SELECT max(rowid) FROM rows").fetchone()[0] or 0)
    for rowid in range(1, most + 1):
        with suppress(sqlite3.DatabaseError):
            cells = connection.execute("SELECT * FROM rows WHERE rowid=?", (rowid,))
            if (values := cells.fetchone()) is not None:
                stored = dict(zip((name for name, *_ in cells.description), values, strict=True))
                stored |= schema.added_since(version, str(stored["hardware"]))
                row = {name: stored.get(name) for name in schema.COLUMNS}
                if all(isinstance(row[name], _ALLOWED[COLUMN_TYPES[name]]) for name in schema.COLUMNS):
                    yield row


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
    kept = [row for row, lost in zip(rows, broken, strict=True) if not lost]
    return sorted(kept, key=lambda row: repr(identity(row)))
