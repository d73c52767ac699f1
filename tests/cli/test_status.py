from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.layout import CHECKSUM
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tasks.task import task
from tests.datasets.conftest import made_rows, varied_rows

from .conftest import Ohmnas


def test_the_status_of_a_store_is_shown_without_measuring(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(made_rows(6))
    words = ("campaign", "--status", "--store", path)
    (group,) = ohmnas(*words, "--json").values["groups"]
    assert (group["task"], group["hardware"], group["rows"], group["failed"]) == ("digits", "pcm", 6, 1)
    out = ohmnas(*words).out
    assert "6 rows in" in out
    assert "digits" in out
    assert "stopped early" not in out
    stopped = {"status": "stopped", **dict.fromkeys(schema.ACCURACY_COLUMNS)}
    with Store(path) as store:
        store.add([{**row, **stopped} for row in made_rows(6, seed=9)])
    assert ohmnas(*words, "--json").values["groups"][1]["stopped"] == 6
    assert "stopped early" in ohmnas(*words).out


def test_with_a_plan_the_remaining_work_is_printed(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    digits = task("digits")
    rows = made_rows(4)
    for row, genome in zip(rows, plan(digits, 4), strict=True):
        row.update(zip(digits.space.gene_names, genome.tolist(), strict=True))
    with Store(path) as store:
        store.add(rows)
    words = ("campaign", "--status", "--store", path, "--task", "digits", "--n", "10")
    (group,) = ohmnas(*words, "--json").values["groups"]
    assert group["done"] == 4
    assert 0 < group["hours_left"] < 1e-3
    assert "done of 10" in ohmnas(*words).out


def test_of_a_campaign_that_chooses_it_counts_what_was_chosen(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path, rows = tmp_path / "s.sqlite", made_rows(4)
    genomes = np.array([[row[name] for name in task("digits").space.gene_names] for row in rows], dtype=np.int16)
    with Store(path) as store:
        store.add(rows)
        store.choose(("digits", "pcm", "smoke", 0), genomes, after=0)
    words = ("campaign", "--status", "--store", path, "--task", "digits", "--n", "4", "--fidelity", "smoke", "--json")
    assert ohmnas(*words, "--choose", "active").values["groups"][0]["done"] == 4
    assert ohmnas(*words).values["groups"][0]["done"] == 0


def test_reading_a_store_leaves_it_as_it_is(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(made_rows(4))
    before = path.read_bytes()
    for words in (("campaign", "--status", "--store", path), ("merge", path, "--store", tmp_path / "all.store")):
        assert ohmnas(*words).code == 0
        assert path.read_bytes() == before
        assert not [*tmp_path.glob("*.sqlite-*")]
    with Store(path) as writer:
        writer.add(made_rows(3, seed=1))
        assert "7 rows in" in ohmnas("campaign", "--status", "--store", path).out
    with sqlite3.connect(path) as connection:  # an older schema is upgraded, which is writing
        connection.execute("PRAGMA user_version=2")
        for name in (*schema.added_since(2, "pcm"), CHECKSUM):
            connection.execute(f'ALTER TABLE rows DROP COLUMN "{name}"')
    assert "7 rows in" in ohmnas("campaign", "--status", "--store", path).out


def test_a_name_that_no_file_can_have_is_one_sentence(ohmnas: Ohmnas) -> None:
    assert "too long" in ohmnas("campaign", "--status", "--store", "x" * 300).sentence
    assert "too long" in ohmnas("describe", "--table", "x" * 300).sentence


def test_chips_that_are_varied_from_a_preset_are_one_line(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add([*made_rows(6), *varied_rows(4, 3), *varied_rows(1, 2, seed=1)])
    words = ("campaign", "--status", "--store", path)
    groups = ohmnas(*words, "--json").values["groups"]
    assert {(group["hardware"], group["seed"]): group["rows"] for group in groups} == {
        ("pcm", 0): 6,
        ("varied", 0): 36,
        ("varied", 1): 6,
    }
    out = ohmnas(*words).out
    assert "-t64-" not in out
    assert "48 rows in" in out


def test_a_store_without_rows_has_no_groups(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path):
        pass
    assert ohmnas("campaign", "--status", "--store", path, "--json").values["groups"] == []


def test_of_a_plan_on_varied_chips_is_left_what_has_not_been_measured(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(varied_rows(2, 3))
    words = ("campaign", "--status", "--store", path, "--task", "digits", "--json")
    (group,) = ohmnas(*words, "--n", "2", "--vary-chip", "3").values["groups"]
    assert (group["done"], group["hours_left"]) == (2, 0.0)
    (group,) = ohmnas(*words, "--n", "6", "--vary-chip", "3").values["groups"]
    assert (group["done"], group["hours_left"]) == (2, pytest.approx(2 * group["hours"]))
    (group,) = ohmnas(*words, "--n", "2", "--vary-chip", "6").values["groups"]
    assert (group["done"], group["hours_left"]) == (0, pytest.approx(group["hours"]))


def test_a_store_that_is_not_there_is_not_made(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "there is no store" in ohmnas("campaign", "--status", "--store", tmp_path / "s.sqlite").sentence
    assert not list(tmp_path.iterdir())


def test_a_plan_without_measured_rows_is_reported(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path):
        pass
    words = ("campaign", "--status", "--store", path)
    said = ohmnas(*words, "--task", "digits", "--n", "1200").out
    assert "no row of the plan of 1,200 architectures for digits has been measured yet" in said
    assert "no row of" not in ohmnas(*words).out


def test_a_plan_has_a_task(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path):
        pass
    assert "--status with --n also needs --task" in ohmnas("campaign", "--status", "--store", path, "--n", "3").sentence


def test_a_status_loads_nothing_that_measures_or_learns(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.add(made_rows(2))
    script = (
        "import sys; from ohmnas.cli.main import main\n"
        "assert not main(sys.argv[1:])\n"
        "print({'torch', 'aihwkit', 'xgboost', 'sklearn', 'joblib', 'matplotlib'} & {*sys.modules}, file=sys.stderr)"
    )
    words = ["campaign", "--status", "--store", str(tmp_path / "s.sqlite")]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert "2 rows in" in done.stdout
    assert done.stderr == "set()\n"


@pytest.mark.parametrize(
    ("column", "value"), [("seed", None), ("train_seconds", "x"), ("hardware", "\x1b]0;owned\x07pcm"), ("OC0", 1e9)]
)
def test_a_damaged_cell_is_one_sentence_for_all_who_read_stores(
    column: str, value: object, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.add(made_rows(4))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f'UPDATE rows SET "{column}"=? WHERE rowid=2', (value,))  # noqa: S608
    status, merge = ("campaign", "--status", "--store", path), ("merge", path, "--store", tmp_path / "all.sqlite")
    for words in (status, merge, ("export-table", "--store", path, "--out", tmp_path / "t.csv")):
        sentence = ohmnas(*words).sentence
        assert f"{path} is damaged in row 2: {column} is " in sentence
        assert "\x1b" not in sentence
    assert ohmnas("merge", "--salvage", path, "--store", tmp_path / "all.sqlite").code == 0
    assert "3 rows in" in ohmnas("campaign", "--status", "--store", tmp_path / "all.sqlite").out


@pytest.mark.parametrize("genome", ["[1, 2]", "[99999", "", "null"])
def test_a_damaged_choice_is_one_sentence(genome: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    path, key = tmp_path / "s.sqlite", ("digits", "pcm", "smoke", 0)
    with Store(path) as store:
        store.add(made_rows(4))
        store.choose(key, store.chosen(key), after=0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO choices VALUES (?, ?, ?, ?, 0, ?)", (*key, genome))
    words = ("campaign", "--status", "--store", path, "--task", "digits", "--n", "4", "--fidelity", "smoke")
    assert f"{path} is damaged: choice 0 of" in ohmnas(*words, "--choose", "active").sentence
    assert f"{path} is damaged: choice 0 of" in ohmnas("merge", path, "--store", tmp_path / "all.sqlite").sentence
