from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.datasets.table import read_table, write_table
from ohmnas.surrogate.persist import load

from .conftest import Ohmnas


def test_a_fitted_surrogate_can_be_loaded(ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("fit", "--table", "digits", "--out", tmp_path / "s")
    assert done.code == 0
    assert "learned" in done.out
    assert load(tmp_path / "s").provenance_["task"] == "digits"
    rows = load(tmp_path / "s").provenance_["rows"]
    learning = f"learning, {rows:,} architectures of digits\n"
    assert done.err == learning
    again = ohmnas("fit", "--table", "digits", "--out", tmp_path / "s")
    assert again.err == f"{learning}note: {tmp_path / 's'} replaced the surrogate that was there\n"


def test_a_surrogate_of_another_space_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    ohmnas("fit", "--table", "digits", "--out", tmp_path)
    header = tmp_path / "surrogate.json"
    header.write_text(json.dumps({**json.loads(header.read_text("utf-8")), "space": "cells-3"}), encoding="utf-8")
    assert "of the space 'cells-3'" in ohmnas("search", "--surrogate", tmp_path, "--out", tmp_path / "f").sentence


def test_an_unknown_margin_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "invalid choice" in ohmnas("fit", "--table", "digits", "--out", tmp_path, "--margin", "0.3").sentence


def test_another_chip_is_learned_with_what_the_others_teach(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("fit", "--table", "digits", "--hardware", "reram", "--start-from", "digits", "--out", tmp_path / "s")
    done = ohmnas(*words)
    assert done.code == 0
    assert "started from digits on hermes, digits on pcm" in done.out
    found = ohmnas("search", "--surrogate", tmp_path / "s", "--iterations", 5, "--out", tmp_path / "f", "--json")
    assert found.values["surrogate"]["hardware"] == "reram"


def test_a_start_that_teaches_nothing_else_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    pcm = read_table("digits")
    write_table(tmp_path / "pcm.csv", pcm.frame[pcm.frame["hardware"] == "pcm"], pcm.card)
    words = ("fit", "--table", "digits", "--out", tmp_path / "s", "--start-from", tmp_path / "pcm.csv")
    assert "nothing to start from" in ohmnas(*words).sentence
    assert not (tmp_path / "s").exists()


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A table of twenty networks."""
    shipped = read_table("digits")
    path = tmp_path / "few.csv"
    write_table(path, shipped.frame[shipped.frame["hardware"] == "pcm"].head(20), shipped.card)
    return path


def test_few_rows_are_learned_with_a_warning(few: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("fit", "--table", few, "--out", tmp_path / "s")
    assert done.code == 0
    assert f"20 measured networks teach a surrogate little; ohmnas score --table {few} says" in done.err
    quiet = ohmnas("fit", "--table", few, "--out", tmp_path / "s", "--json")
    assert "learning" not in quiet.err
    assert quiet.values["rows"] == 20


def test_a_folder_that_holds_something_else_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert "holds something else, such as thesis.tex" in ohmnas("fit", "--table", "digits", "--out", tmp_path).sentence
    assert sorted(tmp_path.iterdir()) == before
    assert "cannot use" in ohmnas("fit", "--table", "digits", "--out", tmp_path / "thesis.tex").sentence


def test_what_a_killed_fit_left_is_no_obstacle(few: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("ranker-0123456789ab.json", ".ranker-0123456789ab.json.x7", ".surrogate.json.q1"):
        (folder / name).write_text("{", encoding="utf-8")
    assert ohmnas("fit", "--table", few, "--out", folder).code == 0
