from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.search.problem import Evaluation, Limits, PredictionLike, Problem
from ohmnas.spaces.resnet import ResNetSpace

from .conftest import SPACE, Formula, Predicted, problem


def test_affordable_means_within_every_cost_limit_exactly(rng: np.random.Generator) -> None:
    one, _ = problem()
    population = SPACE.sample(500, rng, 1e5, 4e6)
    params, macs = SPACE.params(population), SPACE.macs(population)
    expected = (params <= 50_000) & (params >= 1000) & (macs <= 2e6)
    assert np.array_equal(one.affordable(population), expected)
    exactly = Problem(SPACE, Formula(), Limits(max_params=float(params[0]), min_params=float(params[0])))
    assert exactly.affordable(population)[0]


def test_samples_are_affordable(rng: np.random.Generator) -> None:
    one, _ = problem(20_000)
    assert one.affordable(one.sample(200, rng)).all()
    with pytest.raises(InfeasibleError):
        Problem(SPACE, Formula(), Limits(max_macs=10)).sample(10, rng)


def test_the_objective_is_accuracy_over_std_and_excess_is_beyond_the_limit(rng: np.random.Generator) -> None:
    one, formula = problem()
    population = one.sample(50, rng)
    found, said = one.evaluate(population), formula.forecast(population)
    assert np.array_equal(found.objective, said.accuracy_1d / said.accuracy_1d_std)
    assert np.array_equal(found.shortfall > 0, said.avm > 0.02)


def test_feasible_ones_come_first_then_the_nearest_misses() -> None:
    zeros = np.zeros(5)
    one = Evaluation(np.array([1.0, 3, 2, 9, 8]), np.array([0.0, 0, 0, 0.2, 0.1]), zeros, zeros, zeros)
    assert one.order().tolist() == [1, 2, 0, 4, 3]
    assert one.take(one.order()[:2]).join(one).objective.tolist() == [3, 2, 1, 3, 2, 9, 8]


@dataclass
class FormulaOfSpace(Formula):
    """A predictor that knows its space, as a surrogate does."""

    space: ResNetSpace = SPACE


@pytest.mark.parametrize("other", [ResNetSpace((1, 8, 8), 11), ResNetSpace((3, 8, 8), 10)])
def test_predictors_of_another_space_are_refused(other: ResNetSpace) -> None:
    Problem(SPACE, FormulaOfSpace(), Limits())
    with pytest.raises(InvalidValueError, match="the predictor is of"):
        Problem(other, FormulaOfSpace(), Limits())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_params": 0}, "max_params must be above 0"),
        ({"max_macs": -1}, "max_macs must be above 0"),
        ({"max_avm": float("nan")}, "max_avm must be a number"),
        ({"max_params": 100, "min_params": 1000}, "max_params is 100, but the smallest"),
    ],
)
def test_limits_that_leave_no_room_are_refused(limits: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Limits(**limits)


def test_limits_are_json_with_null_for_none() -> None:
    assert json.loads(json.dumps(Limits(max_params=5).to_dict())) == {
        "max_params": 5,
        "max_macs": None,
        "max_avm": None,
        "min_params": 0,
        "min_accuracy": 0,
        "confidence": None,
    }


def test_a_least_accuracy_is_a_limit_like_any_other() -> None:
    one, formula = problem()
    population = one.sample(200, np.random.default_rng(0))
    least = float(np.median(formula.forecast(population).accuracy_1d))
    said = Problem(SPACE, formula, Limits(min_accuracy=least)).evaluate(population)
    assert np.array_equal(said.shortfall == 0, said.accuracy_1d >= least)
    assert 50 < (said.shortfall == 0).sum() < 150
    for wrong in (-0.1, 1.5, np.nan):
        with pytest.raises(InvalidValueError, match="min_accuracy must be a fraction"):
            Limits(min_accuracy=wrong)


@dataclass
class Sure(Formula):
    """Labels lie within a hundredth of what the formula says."""

    def quantile(self, predicted: PredictionLike, probability: float) -> Predicted:
        shift = 0.01 * (2 * probability - 1)
        return Predicted(predicted.accuracy_1d + shift, predicted.accuracy_1d_std, predicted.avm + shift)


def test_with_confidence_it_is_the_bad_end_that_meets_a_limit() -> None:
    population = SPACE.sample(200, np.random.default_rng(0), max_params=50_000)
    said = Sure().forecast(population)
    limits = Limits(max_avm=0.02, min_accuracy=0.6, confidence=0.9)
    found = Problem(SPACE, Sure(), limits).evaluate(population)
    worst = np.maximum(said.avm + 0.008 - 0.02, 0) + np.maximum(0.6 - (said.accuracy_1d - 0.008), 0)
    np.testing.assert_allclose(found.shortfall, worst, atol=1e-12)
    np.testing.assert_array_equal(found.avm, said.avm)
    assert limits.to_dict()["confidence"] == 0.9
    assert Limits().to_dict()["confidence"] is None


def test_confidence_needs_a_probability_and_a_predictor_that_is_sure_of_something() -> None:
    with pytest.raises(InvalidValueError, match="probability between 0 and 1, not 1"):
        Limits(confidence=1.0)
    with pytest.raises(InvalidValueError, match="how sure it is"):
        Problem(SPACE, Formula(), Limits(confidence=0.9))
