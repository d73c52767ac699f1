from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest

from ohmnas.datasets.campaign.merge import merge
from ohmnas.datasets.campaign.salvage import salvaged
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError
from tests.datasets.conftest import made_rows


def break_a_page(path: Path) -> None:
    """Overwrite the page in the middle of a store."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_that_no_table_takes_are_not_salvaged(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(rows)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows SET OC0=NULL WHERE rowid=1")
        connection.execute("UPDATE rows SET params=-5 WHERE rowid=2")
        connection.execute("UPDATE rows SET accuracy_1d=7.5 WHERE rowid=4")
    assert len(salvaged(path)[0]) == len(rows) - 3


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION + 1))
def test_readable_rows_of_a_damaged_store_of_any_schema_are_salvaged(version: int, tmp_path: Path) -> None:
    path, added = tmp_path / "a.sqlite", schema.added_since(version, "pcm")
    with Store(path) as store:
        store.add({**row, "protocol": min(version, schema.PROTOCOL_VERSION), **added} for row in made_rows(120))
        expected = {repr(row) for row in store.rows()}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in added:
            connection.execute(f'ALTER TABLE rows DROP COLUMN "{name}"')
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute("VACUUM")
    break_a_page(path)
    before = _files(tmp_path)
    with pytest.raises(BrokenFileError, match="damaged"):
        merge(tmp_path / "all.sqlite", [str(path)])
    path.write_bytes(before["a.sqlite"])
    found, _ = salvaged(path)
    assert _files(tmp_path) == before
    assert 60 < len(found) < 120
    assert {repr(row) for row in found} <= expected
    (done,) = merge(tmp_path / "all.sqlite", [str(path)], salvage=True)
    assert done.rows == done.new == len(found)


def test_the_log_of_a_killed_process_is_read_and_stays(tmp_path: Path) -> None:
    running, killed = tmp_path / "running", tmp_path / "killed"
    running.mkdir()
    killed.mkdir()
    with Store(running / "a.sqlite") as store:
        store.add(made_rows(120))
    with Store(running / "a.sqlite") as store:
        later = made_rows(40, seed=1)
        store.add(later)
        for name in ("a.sqlite", "a.sqlite-wal"):
            copyfile(running / name, killed / name)
    break_a_page(killed / "a.sqlite")
    before = _files(killed)
    link = tmp_path / "link.sqlite"
    link.symlink_to(killed / "a.sqlite")
    found, _ = salvaged(link)
    assert _files(killed) == before
    assert sum(row["seed"] == 1 for row in found) == len(later)
    assert 60 < sum(row["seed"] == 0 for row in found) < 120


def test_damaged_choices_are_made_again(rows: list[Row], tmp_path: Path) -> None:
    path, key = tmp_path / "a.sqlite", ("digits", "pcm", "smoke", 0)
    with Store(path) as store:
        store.add(rows)
        store.choose(key, store.chosen(key), after=0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO choices VALUES (?, ?, ?, ?, 0, '[99999')", key)
    found, choices = salvaged(path)
    assert (len(found), choices) == (len(rows), {})


def test_a_failed_salvage_is_one_sentence(rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sqlite"
    with pytest.raises(UnknownNameError, match=r"no store .*a\.sqlite"):
        salvaged(path)
    with Store(path) as store:
        store.add(rows)
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    with pytest.raises(BrokenFileError, match=r"no data in .* can be read"):
        salvaged(path)
    path.write_bytes(b"")
    assert salvaged(path) == ([], {})

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(StorageError, match=r"cannot copy .*: No space left"):
        salvaged(path)


@pytest.mark.parametrize("lost", [0.2, 1, 1.6, 3])
def test_rows_on_the_remaining_pages_of_a_truncated_store_are_salvaged(lost: float, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(made_rows(60))
        expected = {repr(row) for row in store.rows()}
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - round(lost * 4096)])
    before = _files(tmp_path)
    found, _ = salvaged(str(path))
    assert _files(tmp_path) == before
    assert 60 - 12 * (lost + 1) <= len(found) <= 60
    assert {repr(row) for row in found} <= expected
    (done,) = merge(str(tmp_path / "all.sqlite"), [path], salvage=True)
    assert done.new == len(found)


def test_a_header_that_claims_a_giant_is_not_believed(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(rows)
    content = bytearray(path.read_bytes())
    content[28:32] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"no data in .* can be read"):
        salvaged(path)


@pytest.mark.parametrize(("column", "value"), [("seed", None), ("train_seconds", "x"), ("hardware", "\x1b[2Jpcm")])
def test_of_a_damaged_cell_its_row_alone_is_lost(column: str, value: object, rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(rows)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'UPDATE rows SET "{column}"=? WHERE rowid=2', (value,))  # noqa: S608
    assert len(salvaged(path)[0]) == len(rows) - 1
