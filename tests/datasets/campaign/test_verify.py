from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.datasets.campaign.checkpoint import Trained
from ohmnas.datasets.campaign.verify import chip_of, fidelity_of, networks_to_verify, task_of, verify
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult
from ohmnas.search.run import Budget, search
from ohmnas.testing.formula import SPACE, Formula

DIGITS = task("digits")
LEARNED = {"task": "digits", "hardware": "pcm", "fidelity": "paper", "rows": 100}


@pytest.fixture(scope="module")
def result() -> SearchResult:
    found = search(Problem(SPACE, Formula(), Limits(20_000, 2e6, 0.05, 1000)), "random", 0, Budget(20, 1))
    return replace(found, provenance=LEARNED)


def test_found_and_references_are_trained_once_each_and_kept(result: SearchResult, tmp_path: Path) -> None:
    kept, told = tmp_path / "trainings.json", []

    def report(done: int, total: int, last: Trained | None) -> None:
        told.append((done, total, last is None))

    arguments = {"fidelity_name": "smoke", "seeds": [0], "checkpoint": kept}
    values = verify(result, DIGITS, **arguments, report=report)  # type: ignore[arg-type]
    assert list(values["networks"]) == list(networks_to_verify(result))
    assert all(0 <= each["measured"]["accuracy_1d"][0] <= 1 for each in values["networks"].values())
    assert told == [(0, 2, True), (1, 2, False), (2, 2, False)]
    assert verify(result, DIGITS, **arguments, report=report) == values  # type: ignore[arg-type]
    assert told[3:] == [(2, 2, True)]  # nothing was trained again


def test_a_fidelity_that_no_longer_exists_is_replaced_by_the_default(result: SearchResult) -> None:
    assert fidelity_of(result, DIGITS).name == "table"
    assert fidelity_of(result, DIGITS, "smoke").name == "smoke"
    assert fidelity_of(replace(result, provenance={**LEARNED, "fidelity": "full"}), DIGITS).name == "full"


def test_a_result_of_another_task_is_refused(result: SearchResult) -> None:
    with pytest.raises(InvalidValueError, match=r"is for images of \(1, 8, 8\) in 10 classes; cifar10 has"):
        task_of(result, task("cifar10"))
    with pytest.raises(InvalidValueError, match="used a table for 'people', not for 'digits'"):
        task_of(replace(result, provenance={"task": "people"}), DIGITS)
    assert task_of(result, DIGITS).space == SPACE


def test_the_chip_is_that_of_the_search(result: SearchResult) -> None:
    assert chip_of(result)(result.best) == Hardware()
    with pytest.raises(InvalidValueError, match="for the chip 'pcm', not for 'mine'"):
        chip_of(result, replace(Hardware(), name="mine"))
    own = replace(result, provenance={**LEARNED, "hardware": "mine"})
    with pytest.raises(InvalidValueError, match="the chip 'mine' is not a preset: pass the chip itself"):
        chip_of(own)
    mine = replace(Hardware(), name="mine")
    assert chip_of(own, mine)(result.best) == mine
    other = replace(own, provenance={**LEARNED, "hardware": "mine", "chip": {"hw_dac_bits": 5}})
    with pytest.raises(InvalidValueError, match="with hw_dac_bits 5; this one has 8"):
        chip_of(other, mine)


def test_one_chip_has_no_spread(result: SearchResult) -> None:
    with pytest.raises(InvalidValueError, match="chips is 1, but a spread over chips needs at least 2"):
        verify(result, DIGITS, chips=1)
