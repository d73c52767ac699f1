from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.campaign.checkpoint import MEASURED, Checkpoint, Trained
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.targets import DEFAULT_NAMES

ONE = Candidate(
    Architecture(8, 3, (MainBlock(1, 1, "A", 1, True),)), (8, 3, 1), 10, 10, dict.fromkeys(DEFAULT_NAMES, 0.5)
)
FOUND = Trained(dict.fromkeys(MEASURED, 0.25))
DIVERGED = Trained(None, "diverged")


def test_a_part_is_there_for_the_same_way_to_measure_alone(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    Checkpoint(path, "digits table").note(ONE, 7, FOUND)
    again, other = Checkpoint(path, "digits table"), Checkpoint(path, "digits smoke")
    assert (ONE, 7) in again
    assert again[ONE, 7] == FOUND
    assert (ONE, 8) not in again
    assert (ONE, 7) not in other
    other.note(ONE, 7, DIVERGED)
    assert Checkpoint(path, "digits table")[ONE, 7] == FOUND
    assert Checkpoint(path, "digits smoke")[ONE, 7] == DIVERGED


def test_nothing_is_measured_of_a_training_that_diverged() -> None:
    assert {FOUND[target] for target in MEASURED} == {0.25}
    assert {DIVERGED[target] for target in MEASURED} == {None}


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"way": 3}', '{"way": {"key": {}}}', '{"way": {"key": {"avm": "x"}}}']
)
def test_a_broken_file_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    path.write_text(content, encoding="utf-8")
    parts = Checkpoint(path, "digits")
    parts.note(ONE, 7, FOUND)
    assert (ONE, 7) in Checkpoint(path, "digits")
