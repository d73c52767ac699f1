from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest

from ohmnas.datasets import schema
from ohmnas.datasets.merge import merge
from ohmnas.datasets.salvage import salvaged
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.errors import BrokenFileError, StorageError, UnknownNameError

from .conftest import made_rows


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
def test_what_is_readable_of_a_damaged_store_of_any_schema_is_salvaged(version: int, tmp_path: Path) -> None:
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


def test_choices_that_are_broken_are_chosen_anew(rows: list[Row], tmp_path: Path) -> None:
    path, key = tmp_path / "a.sqlite", ("digits", "pcm", "smoke", 0)
    with Store(path) as store:
        store.add(rows)
        store.choose(key, store.chosen(key), after=0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO choices VALUES (?, ?, ?, ?, 0, '[99999')", key)
    found, choices = salvaged(path)
    assert (len(found), choices) == (len(rows), {})


def test_what_cannot_be_salvaged_is_one_sentence(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.sqlite"
    with pytest.raises(UnknownNameError, match=r"no store .*a\.sqlite"):
        salvaged(path)
    with Store(path) as store:
        store.add(rows)
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    with pytest.raises(BrokenFileError, match=r"nothing of .* can be read any more"):
        salvaged(path)
    path.write_bytes(b"")
    assert salvaged(path) == ([], {})

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(StorageError, match=r"cannot copy .*: No space left"):
        salvaged(path)
