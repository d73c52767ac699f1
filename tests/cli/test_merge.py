from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ohmnas.datasets.campaign.store import Store
from tests.datasets.campaign.test_salvage import break_a_page
from tests.datasets.conftest import made_rows

from .conftest import Ohmnas


def test_a_person_sees_what_came_of_each_source(ohmnas: Ohmnas, tmp_path: Path) -> None:
    rows = made_rows(5)
    for name, part in (("a", rows[:3]), ("b", rows[2:])):
        with Store(tmp_path / f"{name}.sqlite") as store:
            store.add(part)
    words = ("merge", tmp_path / "a.sqlite", tmp_path / "b.sqlite", "--store", tmp_path / "all.sqlite")
    assert "added 5 rows to" in ohmnas(*words).out
    values = ohmnas(*words, "--json").values
    assert [(s["rows"], s["new"], s["other_results"]) for s in values["sources"]] == [(3, 0, 0), (3, 0, 0)]
    assert "there is no store" in ohmnas("merge", tmp_path / "c.sqlite", "--store", tmp_path / "all.sqlite").sentence


def test_the_command_in_the_message_about_a_damaged_store_works(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(made_rows(120))
    break_a_page(path)
    sentence = ohmnas("export-table", "--store", path, "--out", tmp_path / "t.csv").sentence
    assert "it is damaged" in sentence
    words = sentence.strip().rpartition("with: ohmnas ")[2].split()
    assert words == ["merge", "--salvage", str(path), "--store", "rescued.sqlite"]
    done = ohmnas(*words[:-1], tmp_path / "rescued.sqlite")
    assert "to measure the lost rows again" in done.out
    with Store(tmp_path / "rescued.sqlite") as store:
        assert len(store.rows()) > 60


def test_a_store_with_nothing_to_salvage_is_reported(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(made_rows(120))
    path.write_bytes(path.read_bytes()[:8192])
    sentence = ohmnas("merge", "--salvage", path, "--store", tmp_path / "all.sqlite").sentence
    assert f"no data in {path} can be read" in sentence
    assert "--salvage" not in sentence
    assert not (tmp_path / "all.sqlite").exists()


def test_a_salvage_of_no_row_fails_and_one_of_some_rows_does_not(ohmnas: Ohmnas, tmp_path: Path) -> None:
    good, bad, target = tmp_path / "good.sqlite", tmp_path / "bad.sqlite", tmp_path / "all.sqlite"
    for path in (good, bad):
        with Store(path) as store:
            store.add(made_rows(3))
    with closing(sqlite3.connect(bad)) as connection, connection:
        connection.execute("UPDATE rows SET hardware='\x1b[2J'")
    sentence = ohmnas("merge", "--salvage", bad, "--store", target).sentence
    assert f"no row of {bad} can be read" in sentence
    assert not target.exists()
    done = ohmnas("merge", "--salvage", bad, good, "--store", target)
    assert done.code == 0
    assert f"could not read any row of {bad}" in done.err


def test_a_newer_store_is_not_called_damaged(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        store.add(made_rows(3))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    sentence = ohmnas("merge", "--salvage", path, "--store", tmp_path / "all.sqlite").sentence
    assert "schema 99" in sentence
    assert "nothing of" not in sentence


def test_a_file_that_is_not_a_store_is_not_called_salvageable(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_text("my notes\n" * 100, encoding="utf-8")
    sentence = ohmnas("merge", path, "--store", tmp_path / "all.sqlite").sentence
    assert "it is damaged or not a store" in sentence
    assert "--salvage" not in sentence
