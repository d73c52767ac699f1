"""The chip that a file describes is that of the rows which have its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.cli.parsers import parser
from ohmnas.cli.source import source_table
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.errors import InvalidValueError

from .conftest import Ohmnas


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Ten rows of a chip "mine", which is as pcm is."""
    rows = read_table("digits").select("pcm").head(10).assign(hardware="mine")
    path = tmp_path / "mine.csv"
    write_table(path, rows, make_card(rows, TASKS["digits"]))
    return path


def chip_file(tmp_path: Path, *settings: str, name: str = "mine") -> Path:
    path = tmp_path / f"{name}.toml"
    path.write_text("\n".join(['base = "pcm"', *settings]), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["fit", "search", "score", "describe", "study"])
def test_another_chip_of_the_same_name_is_refused(command: str, ohmnas: Ohmnas, table: Path, tmp_path: Path) -> None:
    chip = chip_file(tmp_path, "dac_bits = 5")
    out = () if command in {"score", "describe"} else ("--out", tmp_path / "out")
    said = ohmnas(command, "--table", table, "--hardware", chip, *out)
    assert said.code == 2
    assert "rows of a chip 'mine' with hw_dac_bits 8.0; this one has 5" in said.sentence
    assert not (tmp_path / "out" / "result.json").exists()


def test_the_same_chip_is_not(table: Path, tmp_path: Path) -> None:
    words = ["score", "--table", str(table), "--hardware"]
    arguments = parser().parse_args([*words, str(chip_file(tmp_path))])
    assert (arguments.hardware, arguments.chip.name) == ("mine", "mine")
    assert len(source_table(str(table), arguments).select(arguments.hardware)) == 10
    by_name = parser().parse_args([*words, "mine"])
    assert (by_name.hardware, by_name.chip) == ("mine", None)
    assert len(source_table(str(table), by_name).select("mine")) == 10


def test_a_chip_missing_from_a_table_has_no_rows(table: Path, tmp_path: Path) -> None:
    words = ["score", "--table", str(table), "--hardware", str(chip_file(tmp_path, "dac_bits = 5", name="other"))]
    arguments = parser().parse_args(words)
    with pytest.raises(InvalidValueError, match="no measured rows of hardware 'other'"):
        source_table(str(table), arguments).select(arguments.hardware)


@pytest.mark.parametrize("command", ["fit", "search", "score", "study"])
def test_a_chip_without_rows_gets_advice(command: str, ohmnas: Ohmnas, table: Path, tmp_path: Path) -> None:
    chip = chip_file(tmp_path, "dac_bits = 5", name="other")
    out = () if command == "score" else ("--out", tmp_path / "out")
    for word, name in ((chip, "other.toml"), ("hermes", "hermes"), ("pcm-t256-d8-a7", "pcm-t256-d8-a7")):
        said = ohmnas(command, "--table", table, "--hardware", word, *out).sentence
        assert f"campaign --task digits --hardware {name}" in said
        assert f"fit --start-from {table}" in said
        assert f"--found result.json --hardware {name}" in said
    assert "no measured rows of hardware 'abacus'" in (
        unknown := ohmnas(command, "--table", table, "--hardware", "abacus", *out).sentence
    )
    assert "campaign" not in unknown
