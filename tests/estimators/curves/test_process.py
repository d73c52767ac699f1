"""A Gaussian process over learning curves."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ohmnas.datasets.tables.curves import LearningCurves
from ohmnas.errors import InvalidValueError
from ohmnas.estimators.curves import CurveEstimator, CurveProcess
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.testing import EstimatorContract

SPACE = ResNetSpace((1, 8, 8), 10)
EPOCHS = 8


def ends(population: Population) -> np.ndarray:
    """An accuracy that size does not tell."""
    return np.asarray(0.5 + 0.49 * np.sin(population.astype(np.float64).sum(axis=1)))


def curves_of(population: Population) -> LearningCurves:
    """Curves that rise to `ends`."""
    rise = 1.0 - np.exp(-np.arange(1.0, EPOCHS + 1.0) / 3.0)
    accuracies = ends(population)[:, None] * rise
    return LearningCurves(-np.log(accuracies), accuracies[:, [0, 3]], np.array([1, 4]), EPOCHS)


@cache
def process(seed: int = 0) -> CurveProcess:
    population = SPACE.sample(60, np.random.default_rng(seed), max_params=20_000)
    labels = {"accuracy_1d": ends(population), "avm": 0.5 - ends(population) / 2.0}
    return CurveProcess.fit(SPACE, population, curves_of(population), labels, 4, seed)


class TestTheEstimator(EstimatorContract):
    def make(self, seed: int) -> Estimator:
        return CurveEstimator(process(seed), curves_of)


def test_early_curves_rank_unseen_networks() -> None:
    population = SPACE.sample(40, np.random.default_rng(5), max_params=20_000)
    found = process().estimate(population, curves_of(population).until(4))
    assert kendall_tau(ends(population), found["accuracy_1d"]) > 0.85
    assert kendall_tau(ends(population), found["avm"]) < -0.85
    scores = process().normal_scores(population, curves_of(population))
    assert kendall_tau(scores[:, 0], found["accuracy_1d"]) > 0.95


def test_a_training_that_was_given_up_keeps_its_last_value() -> None:
    population = SPACE.sample(5, np.random.default_rng(6), max_params=20_000)
    whole = curves_of(population)
    losses, accuracies = whole.losses.copy(), whole.accuracies.copy()
    losses[0, 2:], accuracies[0, 1] = np.nan, np.nan
    found = process().estimate(population, LearningCurves(losses, accuracies, whole.read_after, EPOCHS))
    assert np.isfinite(found.values).all()
    np.testing.assert_allclose(found.values[1:], process().estimate(population, whole).values[1:], rtol=1e-4)


def test_a_curve_without_a_first_value_is_refused() -> None:
    population = SPACE.sample(3, np.random.default_rng(5), max_params=20_000)
    curves = curves_of(population)
    curves.accuracies[1] = np.nan
    with pytest.raises(InvalidValueError, match="learning curves without a first value: 1 of 3"):
        process().estimate(population, curves)


def test_wrong_curves_are_refused() -> None:
    population = SPACE.sample(5, np.random.default_rng(6), max_params=20_000)
    curves = curves_of(population)
    with pytest.raises(InvalidValueError, match="needs at least 10 networks"):
        CurveProcess.fit(SPACE, population, curves, {"accuracy_1d": ends(population)}, 4)
    with pytest.raises(InvalidValueError, match="losses of 4 epochs"):
        process().estimate(population, curves.until(3))
    with pytest.raises(InvalidValueError, match=r"numbers of networks \(5\) and learning curves \(4\)"):
        process().estimate(population, curves.take(np.arange(4)))
