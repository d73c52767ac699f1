from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.tables.table import read_table, write_table

from .conftest import Ohmnas


def test_a_person_sees_spread_and_relations(ohmnas: Ohmnas) -> None:
    out = ohmnas("describe", "--table", "digits").out
    for piece in ("median (5 % to 95 % quantiles)", "pcm paper 0", "Kendall's tau with", "depth", "skip", "branches"):
        assert piece in out
    assert "picture" not in out


@pytest.mark.filterwarnings("ignore")
def test_pictures_come_with_a_folder(ohmnas: Ohmnas, tmp_path: Path) -> None:
    values = ohmnas("describe", "--table", "digits", "--out", tmp_path / "new", "--json").values
    assert values["pictures"]
    assert all(Path(path).is_file() for path in values["pictures"])
    assert -1 <= values["relations"]["params"]["accuracy_1d"] <= 1
    assert values["spread"][0]["rows"] > 40
    (tmp_path / "file").touch()
    assert "cannot create the folder" in ohmnas("describe", "--table", "digits", "--out", tmp_path / "file").sentence


def test_a_chip_is_described_alone(ohmnas: Ohmnas) -> None:
    out = ohmnas("describe", "--table", "digits", "--hardware", "hermes").out
    assert "hermes paper 0" in out
    assert "pcm" not in out
    assert "varied-pcm, paper: 80 rows" in ohmnas("describe", "--table", "digits", "--hardware", "varied-pcm").out
    for varied in ("hermes-t128-d4-a7", "hermes-t128-d4-a5"):
        values = ohmnas("describe", "--table", "digits", "--hardware", varied, "--json").values
        assert [row["hardware"] for row in values["spread"]] == ["varied-hermes"]
        assert 0 < values["spread"][0]["rows"] < 10


def test_groups_of_a_small_table_are_taken_with_care(ohmnas: Ohmnas, tmp_path: Path) -> None:
    shipped = read_table("digits")
    write_table(tmp_path / "few.csv", shipped.frame[shipped.frame["hardware"] == "pcm"].head(40), shipped.card)
    assert (
        "in groups of fewer than 10 rows, medians are unreliable"
        in ohmnas("describe", "--table", tmp_path / "few.csv").out
    )
    assert "in groups of fewer than 10 rows, medians are unreliable" not in ohmnas("describe", "--table", "digits").out
