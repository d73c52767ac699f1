from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.layout import CHECKSUM
from ohmnas.datasets.campaign.merge import merge
from ohmnas.datasets.campaign.salvage import salvaged
from ohmnas.datasets.campaign.store import Store, identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError, UnknownNameError
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.genes import GENE_NAMES


def test_rows_survive_the_store_being_closed(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        assert store.add(rows[:2]) == 2
    with Store(path) as store:
        assert store.add(rows[2:]) == len(rows) - 2
        assert store.identities() == {identity(row) for row in rows}
        assert list(store.frame().columns) == list(schema.columns(GENE_NAMES))


def test_a_second_row_of_the_same_identity_leaves_the_first(rows: list[Row], tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.add(rows)
        assert store.add([{**rows[0], "accuracy_1d": 0.0}]) == 0
        frame = store.frame()
        mine = frame[frame["params"] == rows[0]["params"]]
        assert rows[0]["accuracy_1d"] in set(mine["accuracy_1d"])


def test_a_newer_row_replaces_only_a_failure(rows: list[Row], tmp_path: Path) -> None:
    failed = [{**row, "status": "failed", "reason": "stopped"} for row in rows]
    with Store(tmp_path / "s.sqlite") as store:
        assert store.add(failed[:2]) == 2
        assert store.add([rows[0], {**failed[1], "reason": "stopped again"}]) == 2
        assert [row["reason"] for row in store.rows() if row["status"] == "failed"] == ["stopped again"]
        assert store.identities(failed=False) == {identity(rows[0])}
        assert store.add(failed[:1]) == 0
        assert store.identities(failed=False) == {identity(rows[0])}


def test_only_good_copied_rows_replace_failures(rows: list[Row], tmp_path: Path) -> None:
    failed = [{**row, "status": "failed", "reason": "stopped"} for row in rows]
    with Store(tmp_path / "s.sqlite") as store:
        store.add([*failed[:2], rows[3]])
        older = [rows[0], {**failed[1], "reason": "stopped before"}, failed[3], failed[4]]
        assert [store.take_over(older) for _ in range(2)] == [2, 0]
        assert [row["reason"] for row in store.rows() if row["status"] == "failed"] == ["stopped", "stopped"]
        assert store.identities(failed=False) == {identity(rows[0]), identity(rows[3])}


def test_rows_measured_with_other_settings_are_not_stored(rows: list[Row], tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.add(rows[:1])
        with pytest.raises(InvalidValueError, match=r"epochs 99 in the new rows, but 1 in .*s\.sqlite"):
            store.add([rows[1], {**rows[3], "epochs": 99}])
        with pytest.raises(InvalidValueError, match="must have the same settings"):
            store.add([{**row, "hardware": "mine", "epochs": epochs} for epochs, row in enumerate(rows)])
        assert len(store.rows()) == 1


def test_rows_are_returned_in_the_same_order_for_any_order_of_writing(rows: list[Row], tmp_path: Path) -> None:
    with Store(tmp_path / "a.sqlite") as first, Store(tmp_path / "b.sqlite") as second:
        first.add(rows)
        second.add(reversed(rows))
        assert first.frame().equals(second.frame())


def test_a_batch_is_stored_whole_or_not_at_all(rows: list[Row], tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        broken = {name: value for name, value in rows[1].items() if name != "params"}
        with pytest.raises(InvalidValueError, match="of the resnet-1 space: a row without params does not fit"):
            store.add([rows[0], broken])
        assert store.identities() == set()
        store.add(rows[:1])  # the store still works


def test_a_file_that_is_not_a_store_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("this is not a database, but it is long enough to look at " * 50, encoding="utf-8")
    with pytest.raises(BrokenFileError, match="not a store"):
        Store(text)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE rows (x)")
    connection.commit()
    connection.close()
    with pytest.raises(BrokenFileError, match="another program"):
        Store(other)
    newer = tmp_path / "newer.sqlite"
    Store(newer).__exit__(None, None, None)
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(BrokenFileError, match="schema 99"):
        Store(newer)


def test_a_store_that_another_process_makes_while_it_is_opened_is_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.sqlite"
    made: list[Path] = []
    with closing(sqlite3.connect(path)) as connection:  # so far has the other process come
        connection.execute("PRAGMA journal_mode=WAL")

    class Interrupted(sqlite3.Connection):
        """Between its first read and the next, another process makes the store."""

        def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
            if "sqlite_master" in query and not made:
                made.append(path)
                with Store(path) as store:
                    assert store.rows() == []
            return super().execute(query, *values)

    monkeypatch.setattr("sqlite3.connect", partial(sqlite3.connect, factory=Interrupted))
    with Store(path) as store:
        assert store.rows() == []
    assert made


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        Store(tmp_path / "no" / "s.sqlite")


@pytest.mark.parametrize("lost", [1, 3000, 4096, 9000])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_truncated_store_is_refused_and_stays_as_it_is(
    lost: int, read_only: bool, rows: list[Row], tmp_path: Path
) -> None:
    """Of a page that is there in part SQLite takes the rest for zeros."""
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(rows)
    cut = path.read_bytes()[:-lost]
    path.write_bytes(cut)
    said = rf"s\.sqlite is truncated \({len(cut):,} of {len(cut) + lost:,} bytes\).* merge --salvage"
    with pytest.raises(BrokenFileError, match=said):
        Store(path, read_only=read_only)
    assert path.read_bytes() == cut
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.sqlite"]


def test_a_path_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    os.mkfifo(path)
    with pytest.raises(BrokenFileError, match=r"s\.sqlite is a named pipe, not a file"):
        Store(path)
    with pytest.raises(UnknownNameError):
        merge(tmp_path / "all.sqlite", [path.rename(tmp_path / "pipe")])


def test_a_foreign_file_is_left_exactly_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(BrokenFileError, match="another program"):
        Store(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.sqlite"]


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION))
def test_a_store_of_an_older_schema_is_upgraded(version: int, rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    added = schema.added_since(version, "pcm")
    with Store(path) as store:
        store.add([{**row, **added} for row in rows])
        expected = store.frame()
    connection = sqlite3.connect(path)
    for name in added:
        connection.execute(f'ALTER TABLE rows DROP COLUMN "{name}"')
    connection.execute(f"PRAGMA user_version={version}")
    connection.commit()
    connection.close()
    for _ in range(2):
        with Store(path) as store:
            assert store.frame().equals(expected)


@pytest.mark.parametrize("column", ["seed", "M", "train_seconds", "hardware"])
@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION + 1))
def test_a_damaged_store_of_an_older_schema_is_not_upgraded(
    version: int, column: str, rows: list[Row], tmp_path: Path
) -> None:
    """Checksums of damaged rows would say that they are right."""
    path, added = tmp_path / "old.sqlite", schema.added_since(version, "pcm")
    with Store(path) as store:
        store.add([{**row, "protocol": min(version, schema.PROTOCOL_VERSION), **added} for row in rows])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in (*added, CHECKSUM):
            connection.execute(f'ALTER TABLE rows DROP COLUMN "{name}"')
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute(f'UPDATE rows SET "{column}"=? WHERE rowid=2', (b"",))  # noqa: S608
    before = path.read_bytes()
    with pytest.raises(BrokenFileError, match=rf"damaged in row 2: {column} is"):
        Store(path)
    assert path.read_bytes() == before
    assert len(salvaged(path)[0]) == len(rows) - 1


def test_a_store_that_must_exist_is_not_made(tmp_path: Path) -> None:
    for path in (tmp_path / "s.sqlite", tmp_path / "no folder" / "s.sqlite"):
        with pytest.raises(UnknownNameError, match="no store"):
            Store(path, must_exist=True)
    assert not list(tmp_path.iterdir())


def test_choices_keep_their_order_and_key(tmp_path: Path) -> None:
    key, other = ("digits", "pcm", "paper", 0), ("digits", "pcm", "paper", 1)
    population = ResNetSpace((1, 8, 8), 10).sample_uniform(7, np.random.default_rng(0))
    with Store(tmp_path / "s.sqlite") as store:
        assert store.chosen(key).shape == (0, population.shape[1])
        store.choose(key, population[:3], after=0)
        store.choose(key, population[3:], after=3)
        store.choose(other, population[:1], after=0)
        store.choose(key, population[:2], after=3)  # of a process that has not seen the others
        assert list(store.choices()) == [key, other]
    with Store(tmp_path / "s.sqlite") as store:
        np.testing.assert_array_equal(store.chosen(key), population)
        np.testing.assert_array_equal(store.chosen(other), population[:1])
        assert store.rows() == []


@pytest.mark.parametrize("how", ["deleted", "replaced"])
@pytest.mark.parametrize("choosing", [False, True])
def test_an_open_store_that_disappears_is_noticed_and_its_rows_are_rescued(
    how: str, choosing: bool, rows: list[Row], tmp_path: Path
) -> None:
    path, key = tmp_path / "s.sqlite", ("digits", "pcm", "smoke", 0)
    population = ResNetSpace((1, 8, 8), 10).sample_uniform(3, np.random.default_rng(0))
    with Store(tmp_path / "other.sqlite") as other:
        other.add(rows[5:])
    with Store(path) as store:
        store.add(rows[:3])
        store.choose(key, population, after=0)
        path.unlink()
        if how == "replaced":
            (tmp_path / "other.sqlite").replace(path)
        with pytest.raises(
            StorageError, match=rf"{how} while it was open; all its rows \({3 if choosing else 5}\) are in .*-rescued"
        ):
            store.choose(key, population, after=3) if choosing else store.add(rows[3:5])
    with Store(tmp_path / "s-rescued.sqlite") as rescued:
        assert rescued.identities() == {identity(row) for row in rows[: 3 if choosing else 5]}
        np.testing.assert_array_equal(rescued.chosen(key), population)
    assert path.exists() == (how == "replaced")
    if how == "replaced":
        with Store(path) as other:
            assert other.identities() == {identity(row) for row in rows[5:]}


def test_a_failed_rescue_is_reported(rows: list[Row], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with Store(folder / "s.sqlite") as store:
        store.add(rows[:3])
        rmtree(folder)
        with pytest.raises(StorageError, match=r"could not be saved elsewhere: .* does not exist"):
            store.add(rows[3:])


def test_a_store_that_others_write_to_or_move_back_is_the_same(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store, Store(path) as other:
        store.add(rows[:2])
        other.add(rows[2:4])
        store.add(rows[4:])
        assert len(other.identities()) == len(rows)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("seed", None),
        ("seed", "x"),
        ("OC0", 10**9),
        ("train_seconds", "x"),
        ("accuracy_1d", float("inf")),
        ("reason", b"x"),
        ("hardware", "\x1b[2Jpcm"),
        ("task", "=1+1"),
        ("fidelity", ""),
    ],
)
def test_a_damaged_cell_is_named_with_its_row(column: str, value: object, rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(rows)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'UPDATE rows SET "{column}"=? WHERE rowid=4', (value,))  # noqa: S608
    with Store(path, read_only=True) as store:
        for read in (store.rows, store.frame):
            with pytest.raises(BrokenFileError, match=rf"s\.sqlite is damaged in row 4: {column} is .*merge --salvage"):
                read()
    with pytest.raises(InvalidValueError, match=f"a row cannot be stored: {column} is "), Store(path) as store:
        store.add([{**rows[0], column: value}])  # type: ignore[dict-item]


def test_a_damaged_identity_is_named_before_it_is_computed_with(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(rows)
        store._connection.execute("UPDATE rows SET M=NULL WHERE rowid=2")
        with pytest.raises(BrokenFileError, match="row 2: M is empty"):
            store.identities()


def test_seeds_and_genes_of_numpy_are_numbers(rows: list[Row], tmp_path: Path) -> None:
    path, key = tmp_path / "s.sqlite", ("digits", "pcm", "smoke", 7)
    population = ResNetSpace((1, 8, 8), 10).sample_uniform(2, np.random.default_rng(0))
    with Store(str(path)) as store:
        numbers = {name: np.int16(rows[0][name]) for name in ("OC0", "M")}  # type: ignore[arg-type]
        store.add([{**rows[0], **numbers, "seed": np.int64(7), "avm": np.float32(0.5)}])  # type: ignore[dict-item]
        assert [(row["seed"], row["avm"]) for row in store.rows()] == [(7, 0.5)]
        store.choose((*key[:3], np.int64(7)), population, after=0)  # type: ignore[arg-type]
        np.testing.assert_array_equal(store.chosen(key), population)


@pytest.mark.parametrize("column", ["accuracy_1d", "train_seconds", "fidelity", "R1", "spread_chip", "reason"])
def test_a_cell_that_changed_on_disk_is_found(column: str, rows: list[Row], tmp_path: Path) -> None:
    """Also where the new value would be a right one."""
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(rows)
        value = rows[2][column]
    changed = f"{value}x" if isinstance(value, str) else float(value or 0) + 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'UPDATE rows SET "{column}"=? WHERE rowid=3', (changed,))  # noqa: S608 - our own names
    with Store(path) as store, pytest.raises(BrokenFileError, match=r"row 3: .*checksum.*merge --salvage"):
        store.rows()
    found, _ = salvaged(path)
    assert [identity(row) for row in found] == sorted((identity(row) for row in (*rows[:2], *rows[3:])), key=repr)


def test_a_store_without_checksums_gets_them_when_it_is_opened(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(rows)
        before = store.rows()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"ALTER TABLE rows DROP COLUMN {CHECKSUM}")
    with Store(path, read_only=True) as store:
        assert store.rows() == before
    with Store(path) as store:
        assert store.rows() == before
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET drift_seconds=1e3 WHERE rowid=1")
    with Store(path) as store, pytest.raises(BrokenFileError, match="row 1"):
        store.frame()
