"""What a verification keeps while it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.cli.parts import MEASURED, Part, Parts
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantities import PREDICTIONS
from ohmnas.spaces.architecture import Architecture, MainBlock

ONE = Candidate(
    Architecture(8, 3, (MainBlock(1, 1, "A", 1, True),)), (8, 3, 1), 10, 10, dict.fromkeys(PREDICTIONS, 0.5)
)
FOUND = Part(dict.fromkeys(MEASURED, 0.25))
DIVERGED = Part(None, "diverged")


def test_a_part_is_there_for_the_same_way_to_measure_alone(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    Parts(path, ("digits", "paper")).note(ONE, 7, FOUND)
    again, other = Parts(path, ("digits", "paper")), Parts(path, ("digits", "smoke"))
    assert (ONE, 7) in again
    assert again[ONE, 7] == FOUND
    assert (ONE, 8) not in again
    assert (ONE, 7) not in other
    other.note(ONE, 7, DIVERGED)
    assert Parts(path, ("digits", "paper"))[ONE, 7] == FOUND
    assert Parts(path, ("digits", "smoke"))[ONE, 7] == DIVERGED


def test_nothing_is_measured_of_a_training_that_diverged() -> None:
    assert {FOUND[head] for head in MEASURED} == {0.25}
    assert {DIVERGED[head] for head in MEASURED} == {None}


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"way": 3}', '{"way": {"key": {}}}', '{"way": {"key": {"avm": "x"}}}']
)
def test_a_broken_file_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    path.write_text(content, encoding="utf-8")
    parts = Parts(path, ("digits",))
    parts.note(ONE, 7, FOUND)
    assert (ONE, 7) in Parts(path, ("digits",))
