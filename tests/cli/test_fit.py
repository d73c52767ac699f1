from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.surrogate.shipped import load_surrogate

from .conftest import Ohmnas


def test_a_fitted_surrogate_can_be_loaded(ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("fit", "--table", "digits", "--out", tmp_path / "s")
    assert done.code == 0
    assert "trained on" in done.out
    assert f"saved: {tmp_path / 's.npz'}" in done.out
    learned = load_surrogate(tmp_path / "s.npz").provenance
    assert (learned["task"], learned["table_name"]) == ("digits", "digits")
    learning = f"training, {learned['rows']:,} architectures of digits\n"
    assert done.err == learning
    again = ohmnas("fit", "--table", "digits", "--out", tmp_path / "s.npz")
    assert again.err == f"{learning}note: replaced the previous surrogate in {tmp_path / 's.npz'}\n"


def test_an_unknown_margin_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "invalid choice" in ohmnas("fit", "--table", "digits", "--out", tmp_path, "--margin", "0.3").sentence


def test_a_new_chip_starts_from_models_of_the_other_chips(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("fit", "--table", "digits", "--hardware", "reram", "--start-from", "digits", "--out", tmp_path / "s")
    done = ohmnas(*words)
    assert done.code == 0
    assert "source models: digits on hermes, digits on pcm" in done.out
    found = ohmnas("search", "--surrogate", tmp_path / "s", "--iterations", 5, "--out", tmp_path / "f", "--json")
    assert found.values["surrogate"]["hardware"] == "reram"


def test_a_source_table_with_only_the_same_chip_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    pcm = read_table("digits")
    write_table(tmp_path / "pcm.csv", pcm.frame[pcm.frame["hardware"] == "pcm"], pcm.card)
    words = ("fit", "--table", "digits", "--out", tmp_path / "s", "--start-from", tmp_path / "pcm.csv")
    assert "cannot start from table" in ohmnas(*words).sentence
    assert not (tmp_path / "s.npz").exists()


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
    assert f"trained on only 20 measured networks; check its quality: ohmnas score --table {few}\n" in done.err
    quiet = ohmnas("fit", "--table", few, "--out", tmp_path / "s", "--json")
    assert "training, 20 " in done.err
    assert "training," not in quiet.err
    assert quiet.values["rows"] == 20


def test_files_that_are_something_else_are_not_replaced(ohmnas: Ohmnas, tmp_path: Path) -> None:
    np.savez(tmp_path / "digits.npz", x_train=np.zeros(3))
    before = (tmp_path / "digits.npz").read_bytes()
    for out in ("digits", "digits.npz"):
        sentence = ohmnas("fit", "--table", "digits", "--out", tmp_path / out).sentence
        assert "digits.npz exists and is not a surrogate of this version of ohmnas: choose another --out" in sentence
    assert (tmp_path / "digits.npz").read_bytes() == before
    (tmp_path / "s.npz").mkdir()
    assert "exists and is not a surrogate" in ohmnas("fit", "--table", "digits", "--out", tmp_path / "s").sentence
