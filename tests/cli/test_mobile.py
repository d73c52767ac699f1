"""The command line in the mobile space: from campaign to search, with the memory of a microcontroller."""

from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.search import read_result
from ohmnas.spaces.mobile import MobileSpace
from tests.datasets.conftest import MadeMeasurements

from .conftest import Ohmnas

SMOKE = ("--task", "digits", "--fidelity", "smoke", "--jobs", "1")


@pytest.fixture
def table(made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path) -> Path:
    """Made-up measurements of forty networks."""
    store, path = tmp_path / "m.sqlite", tmp_path / "m.csv"
    assert ohmnas("campaign", *SMOKE, "--space", "mobile", "--n", "40", "--store", store).code == 0
    assert ohmnas("export-table", "--store", store, "--out", path).code == 0
    return path


def test_networks_are_searched_by_the_memory_of_their_patches(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    out = tmp_path / "found"
    budget = ("--iterations", "3", "--population", "12", "--max-memory", "2k")
    source = ("--table", table, "--fidelity", "smoke")
    words = ("search", *source, *budget, "--floor", "none", "--range", "RES=6:8", "--out", out)
    done = ohmnas(*words, "--patches", "2", "--in-place-depthwise")
    assert done.code == 0, done.err
    assert "memory assumes the first blocks in 2 x 2 patches and depthwise convolutions in place" in done.out
    result = read_result(out / "result.json")
    assert result.space == MobileSpace((1, 8, 8), 10)
    assert result.constraints["schedule"] == {"in_place_depthwise": True, "patches": 2}
    assert result.best.costs["memory"] <= 2000
    again = ohmnas(*words, "--resume", out / "result.json")
    assert "schedule: {'in_place_depthwise': True, 'patches': 2} then, none now" in again.sentence


def test_patches_that_there_are_not_are_one_sentence(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("search", "--table", table, "--fidelity", "smoke", "--out", tmp_path / "found", "--patches")
    assert "patches must be a whole number from 1 to 16, not 40" in ohmnas(*words, "40").sentence
    refused = ohmnas("search", "--task", "digits", "--out", tmp_path / "found", "--patches", "2")
    assert "this space supports only the layer-by-layer schedule" in refused.sentence
    assert refused.code == 2


def test_a_part_of_the_space_is_chosen_and_searched(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    out = tmp_path / "found"
    budget = ("--iterations", "2", "--population", "10", "--floor", "none")
    done = ohmnas("search", "--table", table, "--fidelity", "smoke", *budget, "--choose-space", "macs", "--out", out)
    assert done.code == 0, done.err
    assert "sub-spaces by mean multiply-accumulates, the criterion of TinyNAS (0 predictions): " in done.err
    bounds = read_result(out / "result.json").constraints["genes"]
    assert set(bounds) <= {"RES", "C0", "HEAD", "M", *(f"{family}{stage}" for family in "DEW" for stage in range(1, 8))}
    assert bounds
