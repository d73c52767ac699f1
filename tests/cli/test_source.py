from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.table import read_table, write_table

from .conftest import Ohmnas


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """The shipped table, half of it as if it were of another chip, and a quarter of another fidelity."""
    shipped = read_table("digits")
    frame = shipped.measured.copy()
    frame.loc[::2, "hardware"] = "reram"
    frame.loc[::4, "fidelity"] = "low"
    write_table(tmp_path / "mixed.csv", frame, shipped.card)
    return tmp_path / "mixed.csv"


@pytest.mark.parametrize("command", ["search", "fit", "score"])
def test_a_choice_that_is_left_open_names_its_option(command: str, mixed: Path, ohmnas: Ohmnas) -> None:
    words = [command, "--table", mixed]
    if command != "score":
        words += ["--out", mixed.with_name("out")]
    assert "several chips: choose one with --hardware, of pcm, reram" in ohmnas(*words).sentence
    words += ["--hardware", "reram"]
    assert "several fidelities: choose one with --fidelity, of low, paper" in ohmnas(*words).sentence


def test_a_choice_that_is_made_is_followed(mixed: Path, ohmnas: Ohmnas) -> None:
    out = mixed.with_name("out")
    learned = ohmnas("fit", "--table", mixed, "--hardware", "pcm", "--out", out, "--json").values
    assert (learned["hardware"], learned["fidelity"]) == ("pcm", "paper")
    learned = ohmnas("fit", "--table", mixed, "--hardware", "reram", "--fidelity", "low", "--out", out, "--json").values
    assert (learned["hardware"], learned["fidelity"]) == ("reram", "low")
