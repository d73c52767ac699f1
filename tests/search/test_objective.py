from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search.limits import Limits
from ohmnas.search.objective import (
    Accuracy,
    ExponentialPenalty,
    Objective,
    Ratio,
    Tchebycheff,
    Values,
    WeightedSum,
)
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import Quantities
from ohmnas.search.quantity_names import QUANTITIES

from .conftest import CHIP, SPACE, Formula, Monthly, predicted, some

WEIGHING: tuple[type[WeightedSum | Tchebycheff | ExponentialPenalty], ...] = (
    WeightedSum,
    Tchebycheff,
    ExponentialPenalty,
)
LOSSES = {"accuracy_1d": np.array([0.1, 0.5, 2.0]), "avm": np.array([0.4, 0.0, -1.0]), "macs": np.array([0.5, 1, 0])}
weights = st.dictionaries(st.sampled_from(sorted(LOSSES)), st.floats(1e-3, 1e3), min_size=1)


def three(accuracy: list[float] | None = None, std: list[float] | None = None) -> Quantities:
    """Quantities of three architectures."""
    said = predicted(np.array(accuracy or [0.9, 0.8, 0.7]), np.array(std or [0.01, 0.02, 0.005]), np.zeros(3))
    return Quantities(SPACE, some(3), None, said)


def value(of: Objective) -> list[float]:
    return list(of(three(), LOSSES.__getitem__))


def test_plain_objectives_by_hand() -> None:
    assert value(Accuracy()) == [0.9, 0.8, 0.7]
    assert value(Ratio()) == pytest.approx([90, 40, 140])


def test_the_ratio_is_finite_at_a_spread_of_0() -> None:
    first, second, _ = Ratio()(three(std=[0.0, 0.0, 0.0]), LOSSES.__getitem__)
    assert np.inf > first > second


def test_weighing_objectives_by_hand() -> None:
    shares = {"accuracy_1d": 3.0, "avm": 1.0}
    assert value(WeightedSum(shares)) == pytest.approx([1 - 0.175, 1 - 0.375, 1 - 1.25])
    assert value(Tchebycheff(shares)) == pytest.approx([1 - 0.1, 1 - 0.375, 1 - 1.5])
    by_hand = 0.75 * np.exp([-0.1, -0.5, -2.0]) + 0.25 * np.exp([-0.4, 0.0, 1.0])
    assert value(ExponentialPenalty(shares)) == pytest.approx(by_hand.tolist())


@given(weights, st.floats(1e-3, 1e3))
def test_weights_count_only_by_their_shares(given_weights: dict[str, float], factor: float) -> None:
    scaled = {name: factor * weight for name, weight in given_weights.items()}
    for make in WEIGHING:
        assert value(make(scaled)) == pytest.approx(value(make(given_weights)))
        assert make(scaled).name == make(given_weights).name


@given(weights)
def test_a_network_that_is_nowhere_worse_never_scores_less(given_weights: dict[str, float]) -> None:
    better: dict[str, Values] = {name: loss - 0.1 for name, loss in LOSSES.items()}
    for make in WEIGHING:
        one = make(given_weights)
        assert (one(three(), better.__getitem__) >= one(three(), LOSSES.__getitem__) - 1e-12).all()


@given(weights)
def test_of_perfect_losses_every_weighing_is_worth_1(given_weights: dict[str, float]) -> None:
    perfect = {name: np.zeros(3) for name in LOSSES}
    for make in WEIGHING:
        np.testing.assert_allclose(make(given_weights)(three(), perfect.__getitem__), 1.0)


def test_names_tell_the_shares() -> None:
    assert WeightedSum({"accuracy_1d": 3, "avm": 1}).name == "weighted sum of 0.75 accuracy_1d, 0.25 avm"
    assert Tchebycheff({"macs": 2}).name == "Tchebycheff distance of 1 macs"
    assert ExponentialPenalty().name == "exponential penalties of 0.333 accuracy_1d, 0.333 accuracy_1d_std, 0.333 avm"
    assert Ratio().name == "accuracy_1d / accuracy_1d_std"
    assert Accuracy().name == "accuracy_1d"


@pytest.mark.parametrize("make", WEIGHING)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "needs at least one weight"),
        ({"avm": 0}, "the weight of avm must be above 0, not 0"),
        ({"avm": -1.0}, "the weight of avm must be above 0, not -1"),
        ({"avm": float("nan")}, "the weight of avm must be above 0, not nan"),
        ({"avm": float("inf")}, "the weight of avm must be above 0, not inf"),
    ],
)
def test_invalid_weights_are_refused(make: type[WeightedSum], bad: Mapping[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        make(bad)


@pytest.mark.parametrize("make", WEIGHING)
def test_weights_of_no_quantity_are_refused(make: type[WeightedSum]) -> None:
    with pytest.raises(UnknownNameError, match="unknown quantity 'speed': choose accuracy_1d, accuracy_1d_std, avm"):
        make({"avm": 1, "speed": 1})


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(QUANTITIES), min_size=1, max_size=5, unique=True))
def test_drawn_weights_follow_from_the_seed_and_add_up_to_1(seed: int, names: list[str]) -> None:
    one, same = (Tchebycheff.drawn(tuple(names), np.random.default_rng(seed)) for _ in range(2))
    assert one == same
    assert list(one.weights) == names
    assert sum(one.weights.values()) == pytest.approx(1, abs=0.01)
    assert min(one.weights.values()) > 0


def test_draws_search_different_parts_of_a_front(rng: np.random.Generator) -> None:
    shares = [Tchebycheff.drawn(("avm", "macs"), rng).weights["avm"] for _ in range(200)]
    assert np.histogram(shares, bins=4, range=(0, 1))[0].min() > 30


def test_objectives_say_what_they_need() -> None:
    assert Ratio().needs == ("accuracy_1d", "accuracy_1d_std")
    assert Accuracy().needs == ("accuracy_1d",)
    for make in WEIGHING:
        assert make({"macs": 1.0, "accuracy_1mo": 2.0}).needs == ("macs", "accuracy_1mo")


@pytest.mark.parametrize("make", WEIGHING)
def test_an_objective_of_a_target_that_is_not_estimated_is_refused(make: type[WeightedSum]) -> None:
    aim = make({"accuracy_1mo": 1.0, "macs": 1.0})
    with pytest.raises(InvalidValueError, match="does not predict accuracy_1mo; it predicts accuracy_1d, "):
        Problem(SPACE, Formula(), Limits(), aim)
    found = Problem(SPACE, Monthly(), Limits(max_params=50_000), aim).evaluate(some(30))
    assert np.isfinite(found.objective).all()


def test_a_problem_hands_its_scales_to_its_objective() -> None:
    population = some(30)
    limits = Limits(max_params=50_000, max_macs=1e6, min_accuracy=0.5)
    one = Problem(SPACE, Formula(), limits, WeightedSum({"accuracy_1d": 1, "macs": 3}), chip=CHIP)
    said = Formula().estimate(population)
    by_hand = 1 - 0.25 * (1 - said["accuracy_1d"]) / 0.5 - 0.75 * SPACE.macs(population) / 1e6
    np.testing.assert_allclose(one.evaluate(population).objective, by_hand)
