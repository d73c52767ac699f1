"""Store of a running campaign: SQLite, one transaction per network.

Once a commit returns, its rows are safe even if the process is killed. An interrupted write stores none of its rows.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import Any, Final, Self, cast

import numpy as np
import pandas as pd

from ohmnas.datasets.campaign.choices import CHOICES, Key, stored_choices
from ohmnas.datasets.campaign.layout import (
    CHECKSUM,
    HEADER,
    Layout,
    checksum,
    quoted,
    size_in_header,
    stored_schema,
    transaction,
)
from ohmnas.datasets.campaign.moved import free_name, mark
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import NAME_COLUMNS, cell_fault, column_type, damage, plain
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError, StorageError, UnknownNameError, in_short
from ohmnas.files import is_file, opened, regular
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

_ALIKE: Final = ("task", "hardware", "fidelity")
"""Rows that are equal in these columns must be equal in `schema.SETTING_COLUMNS`."""

_MAGIC: Final = b"SQLite format 3\0"
_LARGEST: Final = 1 << 40
"""Largest size of a store in bytes."""
_PATIENCE: Final = 60.0
"""Seconds to wait for other processes that use the store."""

Identity = tuple[object, ...]
"""Identity of a row: task, hardware, fidelity, seed, then the genes."""


def identity(row: Row) -> Identity:
    """Return the identity of a row."""
    return tuple(row[column] for column in (*schema.KEY_COLUMNS, *schema.gene_columns(row)))


def _storable(row: Row, columns: Iterable[str]) -> Row:
    """Convert a row to SQLite values: NumPy numbers to Python numbers.

    Raises:
        InvalidValueError: a cell is invalid; the message names its column.
    """
    values = {name: plain(row[name]) for name in columns}
    for name, value in values.items():
        if why := cell_fault(name, value):
            raise InvalidValueError(f"a row cannot be stored: {why}")
    return cast("Row", values)


def check_alike(source: str, rows: Iterable[Row], known: dict[tuple[Any, ...], tuple[str, Row]]) -> None:
    """Check that all rows with the same task, chip and fidelity have the same settings.

    Args:
        source: source of the rows, for messages.
        rows: rows of a store or table.
        known: task, hardware and fidelity -> source and settings of the first row with them; new keys are added.

    Raises:
        InvalidValueError: a row differs from the first.
    """
    for row in rows:
        key = tuple(row[name] for name in _ALIKE)
        first, expected = known.setdefault(key, (source, row))
        for name in schema.SETTING_COLUMNS:
            if row[name] != expected[name]:
                raise InvalidValueError(
                    f"rows of {key[0]} on {key[1]} at fidelity {key[2]} have {name} {row[name]} in {source}, but "
                    f"{expected[name]} in {first}: rows of one chip and fidelity must have the same settings"
                )


class Store:
    """Rows on disk; open it with ``with Store(path) as store``."""

    def __init__(
        self,
        path: str | Path,
        must_exist: bool = False,
        read_only: bool = False,
        kind: type[Space] | None = None,
    ) -> None:
        """Open or create a store; a file that is not a store stays unchanged.

        Args:
            path: the file.
            must_exist: True to raise an error instead of creating a store.
            read_only: True to only read; a store with an older schema is still upgraded.
            kind: space of its rows; None is the space of the file, or resnet for a new file.

        Raises:
            InvalidValueError: the file is a store of another space.
            UnknownNameError: `must_exist` or `read_only` is True and the store does not exist.
            BrokenFileError: the file is not a store, is damaged, or was written by a newer version.
            StorageError: the store cannot be opened or created.
        """
        self.path = path = Path(path)
        if (must_exist or read_only) and not is_file(path):
            raise UnknownNameError(f"there is no store {path}")
        if not path.parent.is_dir():
            raise StorageError(f"cannot create the store {path}: the folder {path.parent} does not exist")
        if path.exists():
            self._check_size()
        if read_only and self._opened_to_read():
            self._check_kind(kind)
            return
        with self._explained("open"):
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            with self._explained("open"):
                version, self.layout = stored_schema(self._connection, path)
                if version:
                    self._check_kind(kind)
                elif kind is not None:
                    self.layout = Layout(kind)
                self._log_ahead()
                self._connection.execute("PRAGMA synchronous=FULL")
                if version < schema.SCHEMA_VERSION or not self._has_checksums():
                    self._make_or_upgrade(kind)
            self._mark, self._log = mark(path), mark(path.with_name(f"{path.name}-wal"))
        except BaseException:
            self._connection.close()
            raise

    def _check_size(self) -> None:
        """Reject a truncated file, because SQLite reads a partial page as if the rest were zeros.

        Raises:
            BrokenFileError: the path is not a file, or the file is shorter than its header states.
        """
        regular(self.path, _LARGEST)
        if any(self.path.with_name(f"{self.path.name}-{log}").exists() for log in ("wal", "journal")):
            return  # another process is writing or was killed: the log has the missing part
        with opened(self.path, _LARGEST) as file:
            header = file.read(HEADER)
            there, claimed = os.fstat(file.fileno()).st_size, size_in_header(header)
        counted = header[24:28] == header[92:96]  # otherwise, the size in the header is not valid
        if len(header) == HEADER and header.startswith(_MAGIC) and counted and there < claimed:
            raise BrokenFileError(
                f"{self.path} is truncated ({there:,} of {claimed:,} bytes); copy its readable rows to a new store "
                f"with: {self._salvage}"
            )

    def _opened_to_read(self) -> bool:
        """Open the file for reading, and return True if it has the current schema and no error.

        Otherwise, the caller opens it for writing, which upgrades it or reports the error.
        """
        shared = self.path.with_name(self.path.name + "-wal").exists()  # in use by writers, or left by a killed one
        uri = f"{self.path.resolve().as_uri()}?{'mode=ro' if shared else 'immutable=1'}"
        current = False
        self._mark, self._log = mark(self.path), None
        with suppress(sqlite3.DatabaseError, BrokenFileError):
            self._connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
            try:
                version, self.layout = stored_schema(self._connection, self.path)
                current = version == schema.SCHEMA_VERSION
            finally:
                if not current:
                    self._connection.close()
        return current

    def _check_kind(self, kind: type[Space] | None) -> None:
        if kind is not None and kind is not self.layout.kind:
            self._connection.close()
            raise InvalidValueError(
                f"{self.path} is a store of the {self.layout.kind.name} space, not of {kind.name}: use another store"
            )

    def _log_ahead(self) -> None:
        """Switch to a write-ahead log, which concurrent readers need. SQLite does not wait for locks here, so retry."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def _make_or_upgrade(self, kind: type[Space] | None) -> None:
        """Create or upgrade the tables in one transaction; another process may have done so already."""
        with transaction(self._connection, "BEGIN IMMEDIATE"):
            version, there = stored_schema(self._connection, self.path)
            if version:
                self.layout = there
                self._check_kind(kind)
            if version == 0:
                columns = ", ".join(f'"{name}" {column_type(name)}' for name in (*self.layout.columns, CHECKSUM))
                self._connection.execute(f"CREATE TABLE rows ({columns}, UNIQUE ({quoted(self.layout.identity)}))")
            else:
                known = [name for name in self.layout.columns if name not in schema.added_since(version, "")]
                self._check_cells(tuple(known))  # a damaged store is not changed
            if 0 < version < schema.SCHEMA_VERSION:
                for name in schema.added_since(version, ""):
                    self._connection.execute(f'ALTER TABLE rows ADD COLUMN "{name}" {column_type(name)}')
                for (hardware,) in self._connection.execute("SELECT DISTINCT hardware FROM rows").fetchall():
                    added = schema.added_since(version, hardware)
                    marks = ", ".join(f'"{name}"=?' for name in added)
                    query = f"UPDATE rows SET {marks} WHERE hardware=?"  # noqa: S608 - our own column names
                    self._connection.execute(query, (*added.values(), hardware))
            self._connection.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
            if not self._has_checksums():
                self._add_checksums()

    def _has_checksums(self) -> bool:
        return any(name == CHECKSUM for _, name, *_ in self._connection.execute("PRAGMA table_info(rows)"))

    def _add_checksums(self) -> None:
        """Add checksums to the rows of an older store, to detect later changes."""
        self._connection.execute(f'ALTER TABLE rows ADD COLUMN "{CHECKSUM}" INTEGER')
        columns = self.layout.columns
        stored = self._connection.execute(f"SELECT rowid, {quoted(columns)} FROM rows").fetchall()  # noqa: S608
        sums = [(checksum(values, columns), row) for row, *values in stored]
        self._connection.executemany(f'UPDATE rows SET "{CHECKSUM}"=? WHERE rowid=?', sums)  # noqa: S608

    def __enter__(self) -> Self:
        """The open store."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self._connection.close()

    def add(self, rows: Iterable[Row]) -> int:
        """Commit new measurements in one transaction.

        A new row replaces a failed or stopped row with the same identity, even if the new row failed too. It never
        replaces a row with accuracies.

        Returns:
            Number of rows that are new or replaced another.

        Raises:
            InvalidValueError: the settings of a row differ from those of earlier rows with its chip and fidelity, a row
                is from another space, or a cell is invalid.
            StorageError: the write failed, and none of the new rows is stored. If the file was deleted or replaced
                while it was open, all rows, including the new ones, are in another file that the message names.
        """
        return self._write(rows, self.layout.insert)

    def take_over(self, rows: Iterable[Row]) -> int:
        """Like `add`, for rows from another store or table. A row without accuracies may be older: it replaces none."""
        return self._write(rows, self.layout.take_over)

    def _storable(self, row: Row) -> Row:
        """Check that a row belongs to the store's space, and convert it to SQLite values.

        Raises:
            InvalidValueError: the row is from another space, or a cell is invalid.
        """
        if missing := [name for name in self.layout.columns if name not in row]:
            raise InvalidValueError(
                f"{self.path} is a store of the {self.layout.kind.name} space: a row without {missing[0]} does not fit"
            )
        return _storable(row, self.layout.columns)

    def _write(self, rows: Iterable[Row], insert: str) -> int:
        rows = [self._storable(row) for row in rows]
        self._check_not_moved(rows)
        with self._explained("write to"), transaction(self._connection, "BEGIN IMMEDIATE"):
            before = self._connection.total_changes
            known: dict[tuple[Any, ...], tuple[str, Row]] = {}
            for names in dict.fromkeys(tuple(row[name] for name in _ALIKE) for row in rows):
                if (stored := self.settings(*map(str, names))) is not None:
                    known[names] = str(self.path), stored
            check_alike("the new rows", rows, known)
            columns = self.layout.columns
            cells = [[row[name] for name in columns] for row in rows]
            self._connection.executemany(insert, [[*values, checksum(values, columns)] for values in cells])
            return self._connection.total_changes - before

    def identities(self, failed: bool = True, stopped: bool = True) -> set[Identity]:
        """Return the identities of the stored rows, with or without failed rows and stopped rows."""
        left_out = [(schema.STATUS_FAILED, failed), (schema.STATUS_STOPPED, stopped)]
        conditions = " AND ".join(f"status!='{status}'" for status, wanted in left_out if not wanted)
        where = f" WHERE {conditions}" if conditions else ""
        with self._explained("read"):
            self._check_cells(self.layout.identity)
            names = quoted(self.layout.identity)
            return set(self._connection.execute(f"SELECT {names} FROM rows{where}"))  # noqa: S608

    def chosen(self, key: Key) -> Population:
        """``(n, g)``: the architectures that `choose` stored for a key, in order."""
        return self.choices().get(key, np.empty((0, len(self.layout.kind.architecture_genes)), dtype=np.int16))

    def choose(self, key: Key, population: Population, after: int) -> None:
        """Store the architectures to measure next, unless another process has stored others in the meantime.

        Args:
            key: task, hardware, fidelity and seed of the measurement.
            population: ``(n, g)``.
            after: number of stored architectures when these were chosen.

        Raises:
            StorageError: the write failed; none of the architectures is stored.
        """
        key = (*key[:3], int(key[3]))
        self._check_not_moved([])
        with self._explained("write to"), transaction(self._connection, "BEGIN IMMEDIATE"):
            self._connection.execute(CHOICES)
            if len(self.chosen(key)) != after:
                return
            noted = [(*key, after + row, json.dumps(genome.tolist())) for row, genome in enumerate(population)]
            self._connection.executemany("INSERT INTO choices VALUES (?, ?, ?, ?, ?, ?)", noted)

    def choices(self) -> dict[Key, Population]:
        """Key -> its stored architectures, in order."""
        with self._explained("read"):
            return stored_choices(self._connection, self.path, self.layout.kind)

    def settings(self, task: str, hardware: str, fidelity: str) -> Row | None:
        """Return the `schema.SETTING_COLUMNS` that all rows with these names share; None if there are no rows."""
        columns = schema.SETTING_COLUMNS
        names = ", ".join(f'"{name}"' for name in columns)
        query = f"SELECT {names} FROM rows WHERE task=? AND hardware=? AND fidelity=? LIMIT 1"  # noqa: S608
        with self._explained("read"):
            values = self._connection.execute(query, (task, hardware, fidelity)).fetchone()
        return None if values is None else dict(zip(columns, values, strict=True))

    def rows(self) -> list[Row]:
        """All rows, sorted by identity.

        Raises:
            BrokenFileError: a cell is damaged; the message names row and column.
        """
        columns = self.layout.columns
        query = f"SELECT {quoted(columns)} FROM rows ORDER BY {quoted(self.layout.identity)}"  # noqa: S608
        with self._explained("read"):
            self._check_cells(columns)
            self._check_checksums()
            found = self._connection.execute(query).fetchall()
        return [dict(zip(columns, values, strict=True)) for values in found]

    def frame(self) -> pd.DataFrame:
        """All rows, sorted by identity, as a data frame with the columns of a table."""
        return pd.DataFrame(self.rows(), columns=list(self.layout.columns))

    def table(self, task: Task) -> MeasuredTable:
        """All rows of a task, as a table in memory without a checksum."""
        frame = self.frame()
        card: dict[str, Any] = {"sha256": "", "task": task.name, "space": task.space.name}
        card |= {"input_shape": list(task.input_shape), "classes": task.classes}
        return MeasuredTable(frame[frame["task"] == task.name], card, str(self.path))

    def _check_cells(self, columns: tuple[str, ...]) -> None:
        """Reject invalid cells; messages name rows by their number in the file.

        Raises:
            BrokenFileError: a cell is invalid; the message names row and column.
        """
        names, texts = (", ".join(f'"{name}"' for name in some) for some in (columns, NAME_COLUMNS))
        damaged = f"SELECT rowid, {names} FROM rows WHERE {damage(columns)} ORDER BY rowid LIMIT 1"  # noqa: S608
        named = f"SELECT min(rowid), {texts} FROM rows GROUP BY {texts}"  # noqa: S608 - our own column names
        for shown, query in ((columns, damaged), (NAME_COLUMNS, named)):
            for row, *values in self._connection.execute(query):
                for name, value in zip(shown, values, strict=True):
                    if why := cell_fault(name, value):
                        raise BrokenFileError(
                            f"{self.path} is damaged in row {row}: {why}; copy its other rows to a new store with: "
                            f"{self._salvage}"
                        )

    def _check_checksums(self) -> None:
        """Reject a row that changed after it was written.

        Raises:
            BrokenFileError: a row has changed; the message names it.
        """
        columns = self.layout.columns
        if not self._has_checksums():
            return
        query = f'SELECT rowid, "{CHECKSUM}", {quoted(columns)} FROM rows'  # noqa: S608 - our own column names
        for row, known, *values in self._connection.execute(query):
            if known is not None and known != checksum(values, columns):
                raise BrokenFileError(
                    f"{self.path} is damaged in row {row}: its cells changed after they were written (checksum); "
                    f"copy its other rows to a new store with: {self._salvage}"
                )

    @property
    def _salvage(self) -> str:
        return f"ohmnas merge --salvage {quote(str(self.path))} --store rescued.sqlite"

    def _check_not_moved(self, rows: list[Row]) -> None:
        """Detect that the file was deleted or replaced: rows written to it now would be lost.

        Args:
            rows: rows that are about to be written.

        Raises:
            StorageError: the file was deleted or replaced; the message names a new file with all rows.
        """
        there = mark(self.path)
        log = self.path.with_name(f"{self.path.name}-wal")
        if there == self._mark:
            self._log = mark(log)
            return
        what = f"the store {self.path} was {'deleted' if there is None else 'replaced'} while it was open"
        target = free_name(self.path)
        lost = ""
        try:
            with Store(target, kind=self.layout.kind) as rescued:
                try:  # a deleted file can still be read until it is closed
                    rescued.take_over(self.rows())
                    for key, population in self.choices().items():
                        rescued.choose(key, population, after=0)
                except OhmnasError as error:
                    lost = f"; its other rows could not be read: {error}"
                rescued.add(rows)
                saved = len(rescued.identities())
        except OhmnasError as error:
            raise StorageError(f"{what}; its rows could not be saved elsewhere: {error}") from error
        if mark(log) == self._log:  # otherwise, SQLite would apply it to the next file with this name
            with suppress(OSError):
                log.unlink(missing_ok=True)
        raise StorageError(f"{what}; all its rows ({saved}) are in {target}{lost}")

    @contextmanager
    def _explained(self, action: str) -> Iterator[None]:
        """Convert SQLite's errors into errors of ohmnas."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StorageError(f"cannot {action} the store {self.path}: {in_short(error, 200)}") from error
        except sqlite3.DatabaseError as error:
            failed = f"cannot {action} {self.path}: {in_short(error, 200)}"
            if "not a database" in str(error):
                raise BrokenFileError(f"{failed}; it is damaged or not a store") from error
            raise BrokenFileError(
                f"{failed}; it is damaged; copy its readable rows to a new store with: {self._salvage}"
            ) from error
        except (UnicodeDecodeError, OverflowError) as error:
            raise BrokenFileError(f"cannot {action} {self.path}: {in_short(error, 200)}; it is damaged") from error
