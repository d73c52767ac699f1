"""`ohmnas study`: files, numbers for machines, a table for people."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from ohmnas.cli import study
from ohmnas.datasets.tables.table import read_table, write_table

from .conftest import Ohmnas

NAMES = ("importance", "gene_effects", "chip_effects", "map")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_study_writes_what_it_shows(ohmnas: Ohmnas, tmp_path: Path) -> None:
    shipped = read_table("digits")
    rows = shipped.frame[shipped.frame["hardware"].isin(["reram", "hermes"])].groupby("hardware").head(60)
    write_table(tmp_path / "few.csv", rows, shipped.card)
    words = ("study", "--table", tmp_path / "few.csv", "--hardware", "reram", "--resamples", "3", "--out")
    done = ohmnas(*words, tmp_path / "a")
    assert done.code == 0
    assert "studying: 0 of 4, importance of features" in done.err
    assert "digits on reram, 60 architectures" in done.out
    assert re.search(r"block type +bottleneck +basic +[-+]\d", done.out)
    assert re.search(r"ADC bits +8 +5 +[-+]?\d", done.out)
    assert not re.search(r"-0\.0\b", done.out)
    written = {path.name for path in (tmp_path / "a").iterdir()}
    assert written == {"study.toml", *(f"{n}.{k}" for n in NAMES for k in ("csv", "png"))}
    values = ohmnas(*words, tmp_path / "b", "--json").values
    assert values["hardware"] == "reram"
    for name in NAMES:
        first, second = (tmp_path / folder / f"{name}.csv" for folder in "ab")
        assert first.read_bytes() == second.read_bytes()
        assert len(pd.read_csv(first)) == len(values[name])


def test_a_table_of_one_chip_has_no_effects_of_settings(ohmnas: Ohmnas, tmp_path: Path) -> None:
    shipped = read_table("digits")
    write_table(tmp_path / "few.csv", shipped.frame[shipped.frame["hardware"] == "reram"].head(60), shipped.card)
    done = ohmnas(
        "study", "--table", tmp_path / "few.csv", "--hardware", "reram", "--resamples", "3", "--out", tmp_path
    )
    assert done.code == 0
    assert "effects of chip settings: none" in done.out
    assert "DAC bits" not in done.out
    assert not list(tmp_path.glob("chip_effects*"))


def test_only_rows_of_one_fidelity_are_studied_together(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = read_table("digits")
    rows = shipped.frame[shipped.frame["hardware"].isin(["reram", "hermes"])].groupby("hardware").head(30)
    rows = rows.assign(fidelity=rows["hardware"].map({"reram": "low", "hermes": "paper"}))
    write_table(tmp_path / "few.csv", rows, shipped.card)
    for name, found in (("importance", "importance"), ("gene_effects", "gene_effects"), ("space_map", "map")):
        monkeypatch.setattr(study, name, lambda *_, found=found: pd.DataFrame({"feature": [found]}))
    monkeypatch.setattr(study, "_write", lambda *_: [])
    monkeypatch.setattr(study, "_show", lambda *_: None)
    (tmp_path / "chip_effects.csv").write_text("of an earlier study", encoding="utf-8")
    words = ("study", "--table", tmp_path / "few.csv", "--hardware", "reram", "--out", tmp_path)
    assert "chip_effects" not in ohmnas(*words, "--json").values
    assert not (tmp_path / "chip_effects.csv").exists()


def test_wrong_input_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert (
        "no measured rows of hardware 'x'"
        in ohmnas("study", "--table", "digits", "--hardware", "x", "--out", tmp_path).sentence
    )
    (tmp_path / "file").write_text("")
    assert "cannot create the folder" in ohmnas("study", "--table", "digits", "--out", tmp_path / "file").sentence
