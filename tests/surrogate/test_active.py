"""Choosing what to measure next: near the front, different, new, and the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ohmnas.surrogate.active import candidates_near, promising
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.training_set import TrainingSet

from .conftest import SPACE, truth


@pytest.fixture(scope="module")
def candidates() -> np.ndarray:
    return SPACE.sample(300, np.random.default_rng(5), max_params=200_000)


def test_promising_candidates_are_better_than_others_of_their_size(
    surrogate: SurrogateModel, data: TrainingSet, candidates: np.ndarray
) -> None:
    rows = promising(surrogate, candidates, data.population, 30)
    assert len(set(rows.tolist())) == 30
    accuracy, size = truth(candidates)["accuracy_1d"], np.log(SPACE.params(candidates))
    expected = np.polyval(np.polyfit(size, accuracy, 2), size)
    assert (accuracy - expected)[rows].mean() > 0.5 * (accuracy - expected).std()


def test_measured_architectures_are_chosen_again_only_if_no_other_is_left(
    surrogate: SurrogateModel, data: TrainingSet
) -> None:
    both = np.concatenate([data.population, SPACE.sample(100, np.random.default_rng(8), max_params=200_000)])
    assert (promising(surrogate, both, data.population, 20) >= len(data.population)).all()


def test_twins_are_not_chosen_together(surrogate: SurrogateModel, data: TrainingSet, candidates: np.ndarray) -> None:
    twice = np.concatenate([candidates, candidates])
    rows = promising(surrogate, twice, data.population, 40) % len(candidates)
    assert len(set(rows.tolist())) == 40


def test_more_than_there_are_is_all_there_are(
    surrogate: SurrogateModel, data: TrainingSet, candidates: np.ndarray
) -> None:
    assert sorted(promising(surrogate, candidates[:5], data.population, 9).tolist()) == [0, 1, 2, 3, 4]


def test_candidates_are_new_within_bounds_and_the_same_for_a_seed(surrogate: SurrogateModel, data: TrainingSet) -> None:
    found = candidates_near(surrogate, data.population, data.population, 50_000, 2e6, 2_000, seed=3)
    assert len(found) > 1000
    params = SPACE.params(found)
    assert 2_000 <= params.min() <= params.max() <= 50_000
    assert SPACE.macs(found).max() <= 2e6
    keys = [genome.tobytes() for genome in found]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {genome.tobytes() for genome in data.population}
    assert_array_equal(found, candidates_near(surrogate, data.population, data.population, 50_000, 2e6, 2_000, seed=3))
    assert_array_equal(found, SPACE.check(found))
