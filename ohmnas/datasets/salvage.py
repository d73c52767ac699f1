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
from ohmnas.datasets.cells import cell_fault
from ohmnas.datasets.choices import Key, stored_choices
from ohmnas.datasets.faults import faults
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import identity, stored_schema
from ohmnas.datasets.task import TASKS
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError
from ohmnas.files import is_file
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

_SMALLEST_ROW: Final = 100
"""Bytes that a row takes at least."""
_HEADER: Final = 100
"""Bytes at the beginning of a file that say, among others, how large a page is and how many there are."""
_MOST_LOST: Final = 64
"""Times its size that a damaged file may have had: a header that claims more is damaged itself."""


def salvaged(path: str | Path) -> tuple[list[Row], dict[Key, Population]]:
    """The rows of a damaged store that are whole, in the order of their identity, and what campaigns chose.

    Rows are read one by one past what is broken; those of an older schema get the columns that they lack. If what
    campaigns chose is broken anywhere, there is none of it: they then choose anew.

    Raises:
        UnknownNameError: there is no such file.
        BrokenFileError: nothing can be read any more, it is not a store, or was written by a newer version.
        StorageError: it cannot be copied.
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
        raise BrokenFileError(f"nothing of {path} can be read any more: {error}") from error


def _copied(path: Path, folder: Path) -> Path:
    """Copy a store, and what its last process had not brought into its file yet."""
    original = path.resolve()  # SQLite looks for a log beside the file that a link points to
    copy = folder / "copy.sqlite"
    for ending in ("-wal", "-journal", ""):  # a process that is at work empties its log into the file, not the reverse
        with suppress(FileNotFoundError) if ending else nullcontext():
            shutil.copyfile(f"{original}{ending}", f"{copy}{ending}")
    return copy


def _padded(copy: Path) -> tuple[int, str]:
    """Give a file that was cut off the size that its header says: SQLite reads nothing of a shorter one.

    Returns:
        Bytes that it has then, with its log: rows have had their place in as many. And how it was cut off, if it was.
    """
    size = sum(file.stat().st_size for file in copy.parent.iterdir())  # with the log
    with copy.open("r+b") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return size, ""
        page = int.from_bytes(header[16:18], "big")
        said = (2**16 if page == 1 else page) * int.from_bytes(header[28:32], "big")
        if (there := copy.stat().st_size) < said <= _MOST_LOST * size:
            file.truncate(said)
            return max(size, said), f"it is cut off after {there:,} of {said:,} bytes"
    return size, ""


def _read(copy: Path, path: Path) -> tuple[list[Row], dict[Key, Population]]:
    size, cut_off = _padded(copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        version = stored_schema(connection, path)
        rows = _whole(list(_readable(connection, version, size // _SMALLEST_ROW))) if version else []
        if cut_off and not rows:
            raise BrokenFileError(f"nothing of {path} can be read any more: {cut_off}")
        with suppress(sqlite3.DatabaseError, ValueError, TypeError, OverflowError):
            return rows, stored_choices(connection, path)
    return rows, {}


def _readable(connection: sqlite3.Connection, version: int, most: int) -> Iterator[Row]:
    """Rows of this schema whose cells hold what their columns are for.

    Args:
        connection: to the copy.
        version: of its schema.
        most: rows that there may be. The file's own largest number says nothing: its page may be the broken one.
    """
    for rowid in range(1, most + 1):
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError, OverflowError):
            cells = connection.execute("SELECT * FROM rows WHERE rowid=?", (rowid,))
            if (values := cells.fetchone()) is not None:
                stored = dict(zip((name for name, *_ in cells.description), values, strict=True))
                stored |= schema.added_since(version, str(stored["hardware"]))
                row = {name: stored.get(name) for name in schema.COLUMNS}
                if not any(cell_fault(name, value) for name, value in row.items()):
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
