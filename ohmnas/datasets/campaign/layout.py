"""Layout of a store's file: the columns of its space, checksums of rows, and the schema version."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import column_type
from ohmnas.errors import BrokenFileError
from ohmnas.spaces.catalogue import kind_with
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.space import Space

CHECKSUM: Final = "checksum"
"""Additional column of a store: checksum of the other cells of the row. Older stores lack this column."""


def checksum(values: Iterable[object], columns: Iterable[str]) -> int:
    """Return the CRC-32 of a row's cells as read from SQLite, to detect changes on disk.

    Args:
        values: cells of the row as SQLite values.
        columns: columns of the values, in the same order.
    """
    cells = [
        float(value) if column_type(name) == "REAL" and isinstance(value, int | float) else value
        for name, value in zip(columns, values, strict=True)
    ]
    return zlib.crc32(repr(cells).encode())


@dataclass(frozen=True)
class Layout:
    """Columns of a store, which depend on its space."""

    kind: type[Space]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of the store's rows."""
        return schema.columns(self.kind.architecture_genes.names)

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Columns that identify a row."""
        return (*schema.KEY_COLUMNS, *self.kind.architecture_genes.names)

    @cached_property
    def insert(self) -> str:
        """SQL to add a row, or to replace one without accuracies."""
        columns = (*self.columns, CHECKSUM)
        changes = ", ".join(f'"{name}"=excluded."{name}"' for name in columns)
        return (
            f"INSERT INTO rows ({quoted(columns)}) VALUES ({', '.join('?' * len(columns))}) "  # noqa: S608 - our own names
            f"ON CONFLICT ({quoted(self.identity)}) DO UPDATE SET {changes} WHERE rows.status!='{schema.STATUS_OK}'"
        )

    @cached_property
    def take_over(self) -> str:
        """Like `insert`, but a row without accuracies never replaces another row."""
        return f"{self.insert} AND excluded.status='{schema.STATUS_OK}'"


HEADER: Final = 100
"""Size of SQLite's file header in bytes; the header states the size and number of pages."""


def size_in_header(header: bytes) -> int:
    """Return the size in bytes of a file with this header, without its log."""
    page = int.from_bytes(header[16:18], "big")
    return (2**16 if page == 1 else page) * int.from_bytes(header[28:32], "big")


def quoted(columns: Iterable[str]) -> str:
    """Quote column names for SQL."""
    return ", ".join(f'"{name}"' for name in columns)


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Run the block as one transaction: reads are consistent, and writes are complete or undone."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def stored_schema(connection: sqlite3.Connection, path: Path) -> tuple[int, Layout]:
    """Read the schema version and the layout of a file. An empty file has version 0 and the layout of resnet.

    Raises:
        BrokenFileError: the file is not a store, is damaged, or was written by a newer version.
        sqlite3.DatabaseError: the file cannot be read.
    """
    # One transaction: otherwise, another process may create the store between two reads.
    try:
        with nullcontext() if connection.in_transaction else transaction(connection, "BEGIN"):
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
            columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(rows)")}
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path} is damaged: a name in it is not valid UTF-8 text ({error.reason})") from error
    if version == 0 and not tables:
        return 0, Layout(ResNetSpace)
    kind = kind_with(columns)
    if version < 1 or kind is None or not set(schema.KEY_COLUMNS) <= columns:
        raise BrokenFileError(f"{path} is an SQLite file from another program, not an ohmnas store")
    if version > schema.SCHEMA_VERSION:
        raise BrokenFileError(
            f"{path} is a store with schema {version}, but this version of ohmnas reads schemas up to "
            f"{schema.SCHEMA_VERSION}: update ohmnas"
        )
    layout = Layout(kind)
    if version == schema.SCHEMA_VERSION and columns - {CHECKSUM} != set(layout.columns):
        wrong = ", ".join(sorted(columns - {CHECKSUM} ^ set(layout.columns)))
        raise BrokenFileError(f"{path} is damaged: its columns differ from a store's in {wrong}")
    return version, layout
