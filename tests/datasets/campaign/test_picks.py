from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.campaign.picks import picked
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search import Budget, Limits, Problem, SearchResult, search
from ohmnas.testing.formula import SPACE, Formula


@pytest.fixture(scope="module")
def result() -> SearchResult:
    problem = Problem(SPACE, Formula(), Limits(50_000, 2e6, min_params=1000), pareto=("accuracy_1d", "params"))
    return search(problem, "random", 0, Budget(50, 1), top=3)


def test_places_count_from_1_as_they_are_printed(result: SearchResult) -> None:
    found = picked(result, ("found", "front:2", "top:1", "front:2"))
    assert list(found) == ["found", "front:2", "top:1"]
    assert found["front:2"] == result.front[1]
    assert (found["found"], found["top:1"]) == (result.best, result.top[0])
    assert picked(replace(result, top=[]), ("top:1",))["top:1"] == result.best


def test_references_and_genomes_need_no_prediction(result: SearchResult) -> None:
    within = result.references[0]
    assert picked(result, (within.name,))[within.name] == within
    beyond = picked(result, ("resnet56",))["resnet56"]
    assert (beyond.name, beyond.predicted) == ("resnet56", {})
    assert beyond.params == int(SPACE.params(np.array([beyond.genome], dtype=np.int16))[0]) > 50_000
    word = ",".join(map(str, result.best.genome))
    assert picked(result, (word,))[word].genome == result.best.genome


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("front:0", "no front:0: the front has"),
        ("front:9999", "no front:9999"),
        ("top:4", "no top:4: the top has 3 networks"),
        ("resnet57", "closest|mean|resnet56"),
        ("", "no network ''"),
        ("8,3", "gene"),
        ("999" + ",1" * 27, "gene OC0 is 999"),
    ],
)
def test_a_word_that_picks_nothing_is_one_sentence(word: str, why: str, result: SearchResult) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError), match=why):
        picked(result, (word,))


def test_a_pick_from_a_missing_front_is_refused(result: SearchResult) -> None:
    with pytest.raises(InvalidValueError, match="result has no front"):
        picked(replace(result, front=[]), ("front:1",))
