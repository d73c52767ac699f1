"""Promises of a fitted surrogate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from ohmnas import threads
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import model as module
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES

from .conftest import SPACE, STD_FLOOR, learned, learning_set


def test_every_head_recovers_its_formula_on_architectures_it_never_saw(surrogate: SurrogateModel) -> None:
    unseen = learning_set(100, seed=99)
    predicted = surrogate.estimate(unseen.population)
    for target in DEFAULT_NAMES:
        assert kendall_tau(unseen.labels[target], predicted[target]) > 0.75, target
    assert np.abs(predicted["accuracy_1d"] - unseen.labels["accuracy_1d"]).mean() < 0.03
    assert np.abs(predicted["avm"] - unseen.labels["avm"]).mean() < 0.01


def test_predictions_are_within_what_the_heads_can_say(surrogate: SurrogateModel) -> None:
    predicted = surrogate.estimate(SPACE.sample_uniform(200, np.random.default_rng(3)))
    assert ((predicted["accuracy_1d"] >= 0) & (predicted["accuracy_1d"] <= 1)).all()
    assert ((predicted["accuracy_1d_std"] >= STD_FLOOR) & (predicted["accuracy_1d_std"] <= 1)).all()
    assert all(np.isfinite(predicted[target]).all() for target in DEFAULT_NAMES)


def test_predicted_standard_deviation_is_never_below_the_floor(surrogate: SurrogateModel, data: TrainingSet) -> None:
    free = surrogate.estimate(data.population)["accuracy_1d_std"]
    floor = float(np.median(free))
    raised = replace(surrogate, scales=replace(surrogate.scales, std_floor=floor)).estimate(data.population)[
        "accuracy_1d_std"
    ]
    assert_allclose(raised, np.maximum(free, floor), rtol=1e-12)
    assert free.min() < floor <= raised.min()


def test_standard_deviations_below_the_floor_are_learned_as_the_floor() -> None:
    data = learning_set(30)
    data.labels["accuracy_1d_std"][:] = 0.0
    predicted = learned(data).estimate(data.population)
    assert_allclose(predicted["accuracy_1d_std"], STD_FLOOR, rtol=1e-6)


def test_prediction_of_a_row_does_not_depend_on_the_others(surrogate: SurrogateModel, data: TrainingSet) -> None:
    together = surrogate.estimate(data.population)
    for row in (0, 17, 99):
        alone = surrogate.estimate(data.population[row : row + 1])
        for target in DEFAULT_NAMES:
            assert alone[target][0] == pytest.approx(together[target][row], rel=1e-3, abs=1e-5)


def test_predicted_accuracies_keep_the_order_of_the_scores(surrogate: SurrogateModel) -> None:
    population = learning_set(100, seed=5).population
    order = np.argsort(surrogate.rank_scores(population))
    assert (np.diff(surrogate.estimate(population)["accuracy_1d"][order]) >= 0).all()


def test_the_process_of_spread_and_variation_sees_the_score(surrogate: SurrogateModel, data: TrainingSet) -> None:
    alone = replace(surrogate, mixture=replace(surrogate.mixture, shares=(0.0, 0.0)))  # no trees
    trees, process = alone.mixture.spreads
    spreads = (2.0 * trees, 2.0 * process)  # half the score, features as they are
    moved = replace(alone, mixture=replace(alone.mixture, spreads=spreads))
    for target in DEFAULT_NAMES[1:]:
        assert (alone.estimate(data.population)[target] != moved.estimate(data.population)[target]).any()


def test_intervals_hold_what_they_say_on_architectures_that_nobody_saw() -> None:
    """Labels with noise of a known size; 20 sets of 60 unseen rows make the share accurate to about a point."""
    surrogate = learned(learning_set(200, noise=0.05))
    unseen = learning_set(1200, seed=77, noise=0.05)
    predicted = surrogate.estimate(unseen.population)
    low, high = surrogate.quantile(predicted, 0.05), surrogate.quantile(predicted, 0.95)
    inside = (low["accuracy_1d"] <= unseen.labels["accuracy_1d"]) & (
        unseen.labels["accuracy_1d"] <= high["accuracy_1d"]
    )
    assert 0.83 < inside.mean() < 0.97
    below = unseen.labels["accuracy_1d"] <= surrogate.quantile(predicted, 0.8)["accuracy_1d"]
    assert 0.72 < below.mean() < 0.88


def test_spread_and_variation_stay_within_what_was_measured(surrogate: SurrogateModel, data: TrainingSet) -> None:
    predicted = surrogate.estimate(SPACE.sample_uniform(500, np.random.default_rng(3)))
    for target in ("accuracy_1d_std", "avm"):
        low, high = data.labels[target].min(), data.labels[target].max()
        values = predicted[target]
        assert low - 1e-9 <= values.min() <= values.max() <= high + 1e-9


def test_genomes_may_come_as_a_list_and_wrong_ones_are_refused_when_asked(
    surrogate: SurrogateModel, data: TrainingSet
) -> None:
    assert_array_equal(surrogate.predict(data.population[:3].tolist()), surrogate.predict(data.population[:3]))
    for wrong in (np.full((1, 28), 7), data.population[:2, :5]):
        with pytest.raises(InvalidValueError):
            surrogate.predict(wrong)


def test_forecasts_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    surrogate = learned(learning_set())
    population = SPACE.sample_uniform(300, rng)
    monkeypatch.setattr(module, "_AT_ONCE", 40)
    found = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(threads, "cpu_count", lambda workers=workers: workers)
        with threadpool_limits(workers, user_api="blas"):
            found.append(surrogate.predict(population))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])
    assert surrogate.predict(population[:0]).shape == (0, 3)
