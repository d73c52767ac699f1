"""The store of a running campaign: SQLite, one transaction for each row.

A row is in the store from the moment its commit returns, whatever is killed afterwards; a row that was being written
when the process died is not there at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.schema import Row
from ohmnas.errors import BrokenFileError, StorageError
from ohmnas.spaces.genes import GENE_NAMES

_TYPES: Final = {
    **dict.fromkeys(schema.TEXT_COLUMNS, "TEXT"),
    **dict.fromkeys(schema.INTEGER_COLUMNS, "INTEGER"),
    **dict.fromkeys(schema.FLOAT_COLUMNS, "REAL"),
}
_IDENTITY: Final = (*schema.KEY_COLUMNS, *GENE_NAMES)

Identity = tuple[object, ...]
"""Task, hardware, fidelity, seed, then the genes: what a row is a measurement of."""


def identity(row: Row) -> Identity:
    """What a row is a measurement of."""
    return tuple(row[column] for column in _IDENTITY)


class Store:
    """Rows on disk; open it with ``with Store(path) as store``."""

    def __init__(self, path: Path) -> None:
        """Open a store, or make one.

        Raises:
            BrokenFileError: the file is not a store, is damaged, or was written by a newer version.
            StorageError: it cannot be opened or made there.
        """
        self.path = path
        if not path.parent.is_dir():
            raise StorageError(f"cannot make the store {path}: the folder {path.parent} does not exist")
        with self._explained("open"):
            self._connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            has_rows = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name='rows'").fetchone()
            if version == 0 and not has_rows:
                columns = ", ".join(f'"{name}" {_TYPES[name]}' for name in schema.COLUMNS)
                key = ", ".join(f'"{name}"' for name in _IDENTITY)
                self._connection.execute(f"CREATE TABLE rows ({columns}, UNIQUE ({key}))")
                self._connection.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
            self._connection.execute("COMMIT")
        if version > schema.SCHEMA_VERSION:
            raise BrokenFileError(
                f"{path} is a store of schema {version}, this ohmnas reads up to {schema.SCHEMA_VERSION}: update ohmnas"
            )
        if version == 0 and has_rows:
            raise BrokenFileError(f"{path} is an SQLite file of another program, not a store of ohmnas")

    def __enter__(self) -> Self:
        """The open store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self._connection.close()

    def add(self, rows: Iterable[Row]) -> int:
        """Commit rows in one transaction; a row whose identity is there already is left as it was.

        Returns:
            How many rows are new.

        Raises:
            StorageError: the disk is full or refuses; none of these rows is stored, all earlier ones are.
        """
        names = ", ".join(f'"{name}"' for name in schema.COLUMNS)
        marks = ", ".join("?" * len(schema.COLUMNS))
        with self._explained("write to"):
            before = self._connection.total_changes
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    f"INSERT OR IGNORE INTO rows ({names}) VALUES ({marks})",  # noqa: S608 - our own column names
                    [[row[name] for name in schema.COLUMNS] for row in rows],
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return self._connection.total_changes - before

    def identities(self) -> set[Identity]:
        """What has been measured, failures included."""
        names = ", ".join(f'"{name}"' for name in _IDENTITY)
        with self._explained("read"):
            return set(self._connection.execute(f"SELECT {names} FROM rows"))  # noqa: S608

    def settings(self, task: str, hardware: str, fidelity: str) -> Row | None:
        """Chip settings and effort of the rows of these names, which are those of any of them; None without rows."""
        columns = (*schema.HARDWARE_COLUMNS, *schema.EFFORT_COLUMNS)
        names = ", ".join(f'"{name}"' for name in columns)
        query = f"SELECT {names} FROM rows WHERE task=? AND hardware=? AND fidelity=? LIMIT 1"  # noqa: S608
        with self._explained("read"):
            values = self._connection.execute(query, (task, hardware, fidelity)).fetchone()
        return None if values is None else dict(zip(columns, values, strict=True))

    def frame(self) -> pd.DataFrame:
        """All rows in the order of their identity, as a data frame with `schema.COLUMNS`."""
        names = ", ".join(f'"{name}"' for name in schema.COLUMNS)
        order = ", ".join(f'"{name}"' for name in _IDENTITY)
        with self._explained("read"):
            rows = self._connection.execute(f"SELECT {names} FROM rows ORDER BY {order}").fetchall()  # noqa: S608
        return pd.DataFrame(rows, columns=list(schema.COLUMNS))

    @contextmanager
    def _explained(self, action: str) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StorageError(f"cannot {action} the store {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise BrokenFileError(f"cannot {action} {self.path}: {error}; it is damaged or not a store") from error
