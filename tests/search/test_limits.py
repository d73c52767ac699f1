from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search.limits import CEILINGS, COST_LIMITS, Limits
from ohmnas.search.objective import Accuracy, Losses
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import Quantities
from ohmnas.search.run import Budget, Generation, search
from ohmnas.search.strategies import Evolution
from ohmnas.spaces.genes import Population

from .conftest import CHIP, SPACE, Formula, Monthly, Sure, Values, exact_cost, some

SHORT = Budget(population=15, iterations=4)


def limited(**values: Any) -> Limits:
    """Limits whose names are values."""
    return Limits(**values)


def no_losses(name: str) -> Values:
    raise AssertionError(name)


def births(problem: Problem) -> tuple[Population, Population]:
    """All that were feasible when they were born, and the one that the search returns."""
    generations: list[Generation] = []
    result = search(problem, Evolution, 0, SHORT, generations.append)
    return np.concatenate([one.born for one in generations]), np.array([result.best.genome], dtype=np.int16)


@pytest.mark.parametrize(("limit", "cost"), COST_LIMITS.items())
def test_every_evaluated_architecture_meets_every_limit_on_costs(limit: str, cost: str) -> None:
    half = float(np.median(exact_cost(cost, some(200))))
    estimator = Formula()
    one = Problem(SPACE, estimator, limited(**{"max_params": 50_000.0, limit: half}), chip=CHIP)
    born, best = births(one)
    assert len(born) >= 5 * 14
    for population in (born, best, *estimator.asked):
        assert (exact_cost(cost, population) <= half).all()
        assert (exact_cost("params", population) <= 50_000).all()


def test_all_limits_on_costs_hold_together() -> None:
    population = some(300)
    highest = {limit: float(np.quantile(exact_cost(cost, population), 0.8)) for limit, cost in COST_LIMITS.items()}
    one = Problem(SPACE, Formula(), limited(**highest, min_params=2000), chip=CHIP)
    born, _ = births(one)
    assert all((exact_cost(cost, born) <= highest[limit]).all() for limit, cost in COST_LIMITS.items())
    assert (exact_cost("params", born) >= 2000).all()


@pytest.mark.parametrize(("limit", "cost"), COST_LIMITS.items())
def test_a_limit_is_met_by_what_costs_as_much_and_by_nothing_that_costs_more(limit: str, cost: str) -> None:
    population = some(60)
    costs = exact_cost(cost, population)
    exactly = Problem(SPACE, Formula(), limited(**{limit: float(costs[7])}), chip=CHIP)
    np.testing.assert_array_equal(exactly.fits(population), costs <= costs[7])
    assert exactly.fits(population)[7]


@pytest.mark.parametrize("predicted", [{"max_avm": 0.016}, {"max_std": 0.015}, {"min_accuracy": 0.62}])
@pytest.mark.parametrize("confidence", [None, 0.9])
def test_limits_on_predictions_hold_for_all_that_breed(predicted: dict[str, float], confidence: float | None) -> None:
    one = Problem(SPACE, Sure(), limited(max_params=50_000, confidence=confidence, **predicted))
    for population in births(one):
        said = Sure().estimate(population)
        shift = 0.0 if confidence is None else 0.008
        assert (said["avm"] + shift <= one.limits.max_avm).all()
        assert (said["accuracy_1d_std"] <= one.limits.max_std).all()
        assert (said["accuracy_1d"] - shift >= one.limits.min_accuracy).all()


def test_a_shortfall_adds_up_what_is_missed() -> None:
    population = some(100)
    said = Formula().estimate(population)
    limits = Limits(max_avm=0.025, max_std=0.025, min_accuracy=0.55)
    expected = (
        np.maximum(said["avm"] - 0.025, 0)
        + np.maximum(said["accuracy_1d_std"] - 0.025, 0)
        + np.maximum(0.55 - said["accuracy_1d"], 0)
    )
    found = Problem(SPACE, Formula(), limits).evaluate(population)
    np.testing.assert_allclose(found.shortfall, expected, atol=1e-15)
    assert 0 < found.feasible.sum() < 100
    np.testing.assert_array_equal(found.feasible, expected == 0)


def test_a_least_accuracy_is_a_limit_like_any_other() -> None:
    population = some(200)
    least = float(np.median(Formula().estimate(population)["accuracy_1d"]))
    found = Problem(SPACE, Formula(), Limits(min_accuracy=least)).evaluate(population)
    assert np.array_equal(found.feasible, found.estimate["accuracy_1d"] >= least)
    assert 50 < found.feasible.sum() < 150


def test_with_confidence_it_is_the_bad_end_that_meets_a_limit() -> None:
    population = some(200)
    said = Sure().estimate(population)
    limits = Limits(max_avm=0.02, min_accuracy=0.6, confidence=0.9)
    found = Problem(SPACE, Sure(), limits).evaluate(population)
    worst = np.maximum(said["avm"] + 0.008 - 0.02, 0) + np.maximum(0.6 - (said["accuracy_1d"] - 0.008), 0)
    np.testing.assert_allclose(found.shortfall, worst, atol=1e-12)
    np.testing.assert_array_equal(found.estimate["avm"], said["avm"])
    assert limits.to_dict()["confidence"] == 0.9
    assert Limits().to_dict()["confidence"] is None


def test_to_be_surer_never_makes_anything_feasible() -> None:
    population = some(200)
    limits = Limits(max_avm=0.02, min_accuracy=0.6)
    feasible = [
        Problem(SPACE, Sure(), replace(limits, confidence=sure)).evaluate(population).feasible
        for sure in (0.5, 0.8, 0.99)
    ]
    assert (feasible[0] >= feasible[1]).all()
    assert (feasible[1] >= feasible[2]).all()
    assert feasible[0].sum() > feasible[2].sum()
    np.testing.assert_array_equal(feasible[0], Problem(SPACE, Sure(), limits).evaluate(population).feasible)


@given(st.sampled_from(["macs", "size", "tiles", "avm"]), st.floats(0.1, 2.0), st.floats(0.0, 5.0))
def test_a_soft_limit_costs_its_price_for_what_is_beyond_and_does_not_bind(
    name: str, share: float, penalty: float
) -> None:
    population = some(20)
    plain = Problem(SPACE, Formula(), Limits(), Accuracy(), chip=CHIP)
    values = plain.quantities(population, Formula().estimate(population))[name]
    most = share * float(np.median(np.abs(values)))
    soft = replace(plain, limits=Limits(soft={name: most}, penalty=penalty))
    free, found = plain.evaluate(population), soft.evaluate(population)
    excess = np.maximum(values / most - 1, 0)
    np.testing.assert_allclose(found.objective, free.objective / (1 + penalty * excess), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.objective[excess == 0], free.objective[excess == 0])
    assert found.feasible.all()
    assert soft.affordable(population).all()


def test_several_soft_limits_add_up_their_prices() -> None:
    population = some(50)
    one = Problem(SPACE, Formula(), Limits(soft={"macs": 2e5, "params": 5000}, penalty=0.5))
    ratio = one.objective(one.quantities(population, Formula().estimate(population)), no_losses)
    excess = sum(
        np.maximum(exact_cost(name, population) / most - 1, 0) for name, most in {"macs": 2e5, "params": 5000}.items()
    )
    np.testing.assert_allclose(one.evaluate(population).objective, ratio / (1 + 0.5 * excess))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_at_equal_excess_the_better_objective_wins_at_any_penalty(sign: float) -> None:
    @dataclass(frozen=True)
    class Signed:
        name: str = "signed"
        needs: tuple[str, ...] = ("accuracy_1d",)

        def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002
            return sign * of["accuracy_1d"]

    population = some(50)
    excess = exact_cost("macs", population) / 100.0 - 1.0
    one = Problem(SPACE, Formula(), Limits(soft={"macs": 100.0}, penalty=5.0), Signed())
    plain = sign * Formula().estimate(population)["accuracy_1d"]
    priced = one.evaluate(population).objective
    assert (excess > 10).all()  # the price is many times the objective
    np.testing.assert_array_equal(np.sign(priced), np.sign(plain))
    assert ((np.abs(priced) < np.abs(plain)) == (plain > 0)).all()
    same = priced * (1 + 5 * excess) if sign > 0 else priced / (1 + 5 * excess)
    np.testing.assert_allclose(same, plain)


def test_a_soft_limit_draws_the_search_to_cheaper_architectures() -> None:
    free = Problem(SPACE, Formula(), Limits(max_params=50_000), Accuracy())
    soft = replace(free, limits=replace(free.limits, soft={"macs": 2e5}))
    costs = [search(one, Evolution, 0, Budget(30, 10)).best.macs for one in (free, soft)]
    assert costs[1] < costs[0]
    assert costs[1] < 4e5


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_params": 0}, "max_params must be above 0, not 0"),
        ({"max_macs": -1}, "max_macs must be above 0"),
        ({"max_size": 0}, "max_size must be above 0"),
        ({"max_memory": float("nan")}, "max_memory must be above 0, not nan"),
        ({"max_tiles": -2}, "max_tiles must be above 0"),
        ({"max_energy": 0}, "max_energy must be above 0"),
        ({"max_latency": 0}, "max_latency must be above 0"),
        ({"max_std": 0}, "max_std must be above 0"),
        ({"max_avm": float("nan")}, "max_avm must be a number"),
        ({"max_params": 100, "min_params": 1000}, "max_params is 100, which is less than min_params"),
        ({"min_accuracy": -0.1}, "min_accuracy must be a fraction"),
        ({"min_accuracy": 1.5}, "min_accuracy must be a fraction from 0 to 1, not 1.5"),
        ({"min_accuracy": float("nan")}, "min_accuracy must be a fraction"),
        ({"confidence": 1.0}, "probability between 0 and 1, not 1"),
        ({"confidence": 0.0}, "probability between 0 and 1, not 0"),
        ({"penalty": -1}, "penalty must be at least 0, not -1"),
        ({"penalty": float("inf")}, "penalty must be at least 0"),
        ({"soft": {"macs": 0}}, "the soft limit on macs must be above 0, not 0"),
        ({"soft": {"avm": float("nan")}}, "the soft limit on avm must be above 0"),
        ({"least": {"accuracy_1mo": float("nan")}}, "the limit on accuracy_1mo must be a number, not nan"),
        ({"most": {"avm": float("inf")}}, "the limit on avm must be a number, not inf"),
        ({"least": {"avm": 0.2}, "most": {"avm": 0.1}}, "avm cannot be at least 0.2 and at most 0.1"),
        ({"least": {"avm": 0.2}, "max_avm": 0.01}, "avm cannot be at least 0.2 and at most 0.01"),
        ({"least": {"accuracy_1d_std": 0.2}, "max_std": 0.1}, "accuracy_1d_std cannot be at least 0.2 and at most 0.1"),
        ({"most": {"accuracy_1d": 0.2}, "min_accuracy": 0.9}, "accuracy_1d cannot be at least 0.9 and at most 0.2"),
    ],
)
def test_limits_that_leave_no_room_are_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Limits(**limits)


@pytest.mark.parametrize("name", ["speed", "accuracy_1d", "max_macs"])
def test_a_soft_limit_on_what_has_no_maximum_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown quantity with a soft limit '{name}': choose params, macs"):
        Limits(soft={name: 1.0})


@pytest.mark.parametrize("kind", ["least", "most"])
def test_a_limit_on_an_unknown_target_is_refused(kind: str) -> None:
    for name in ("speed", "params"):
        with pytest.raises(UnknownNameError, match=f"unknown target '{name}': choose accuracy_1d"):
            limited(**{kind: {name: 0.5}})


def test_limits_on_any_target_hold_for_all_that_breed() -> None:
    population = some(200)
    estimate = Monthly().estimate(population)
    least, most = float(np.median(estimate["accuracy_1mo"])), float(np.median(estimate["accuracy_1h_std"]))
    one = Problem(SPACE, Monthly(), limited(max_params=50_000, least={"accuracy_1mo": least}))
    both = replace(one, limits=replace(one.limits, most={"accuracy_1h_std": most}))
    feasible = one.evaluate(population).feasible
    np.testing.assert_array_equal(feasible, estimate["accuracy_1mo"] >= least)
    np.testing.assert_array_equal(both.evaluate(population).feasible, feasible & (estimate["accuracy_1h_std"] <= most))
    for born in births(both):
        found = Monthly().estimate(born)
        assert (found["accuracy_1mo"] >= least).all()
        assert (found["accuracy_1h_std"] <= most).all()


def test_with_a_confidence_the_shortfall_uses_the_unfavourable_quantile() -> None:
    population = some(100)
    estimate = Sure().estimate(population)
    limits = Limits(least={"accuracy_1d": 0.55}, most={"avm": 0.03}, confidence=0.9)
    expected = np.maximum(0.55 - (estimate["accuracy_1d"] - 0.008), 0) + np.maximum(estimate["avm"] + 0.008 - 0.03, 0)
    found = Problem(SPACE, Sure(), limits).evaluate(population)
    np.testing.assert_allclose(found.shortfall, expected, atol=1e-12)
    assert 0 < found.feasible.sum() < 100


@given(st.floats(0.0, 0.1), st.floats(0.0, 0.1))
def test_of_two_limits_on_one_target_the_tighter_counts(one: float, other: float) -> None:
    population = some(50)
    estimate = Formula().estimate(population)
    both = Problem(SPACE, Formula(), Limits(max_avm=one, most={"avm": other})).evaluate(population)
    np.testing.assert_array_equal(both.feasible, estimate["avm"] <= min(one, other))
    assert Limits(max_avm=one, most={"avm": other}).on("avm") == min(one, other)
    floors = Limits(min_accuracy=0.5 + one, least={"accuracy_1d": 0.5 + other})
    assert floors.below("accuracy_1d") == 0.5 + max(one, other)
    accuracy_met = Problem(SPACE, Formula(), floors).evaluate(population).feasible
    np.testing.assert_array_equal(accuracy_met, estimate["accuracy_1d"] >= 0.5 + max(one, other))


def test_limits_on_any_target_are_known_by_the_target() -> None:
    limits = Limits(max_avm=0.1, min_accuracy=0.4, least={"accuracy_1mo": 0.5}, most={"accuracy_1h_std": 0.02})
    assert limits.on_targets() == {"avm", "accuracy_1d", "accuracy_1mo", "accuracy_1h_std"}
    assert limits.floors() == {"min_accuracy": ("accuracy_1d", 0.4), "min_accuracy_1mo": ("accuracy_1mo", 0.5)}
    assert limits.ceilings() == {"max_avm": ("avm", 0.1), "max_accuracy_1h_std": ("accuracy_1h_std", 0.02)}
    assert (limits.below("accuracy_1mo"), limits.below("accuracy_1s"), limits.on("accuracy_1h_std")) == (0.5, 0.0, 0.02)
    values = json.loads(json.dumps(limits.to_dict()))
    assert (values["least"], values["most"]) == ({"accuracy_1mo": 0.5}, {"accuracy_1h_std": 0.02})
    assert not {"least", "most"} & Limits().to_dict().keys()
    assert Limits().on_targets() == set()


def test_a_scale_ends_at_the_limit_on_any_target() -> None:
    limits = Limits(max_params=50_000, least={"accuracy_1mo": 0.4}, most={"accuracy_1h_std": 0.02})
    one = Problem(SPACE, Monthly(), limits)
    assert one.scale("accuracy_1mo") == (1.0, 0.4)
    assert one.scale("accuracy_1h_std") == (0.0, 0.02)


@pytest.mark.parametrize("limits", [Limits(least={"accuracy_1mo": 0.5}), Limits(most={"accuracy_1mo": 0.5})])
def test_limits_on_what_is_not_estimated_are_refused(limits: Limits) -> None:
    Problem(SPACE, Monthly(), limits)
    with pytest.raises(InvalidValueError, match="does not predict accuracy_1mo; it predicts accuracy_1d, "):
        Problem(SPACE, Formula(), limits)


def test_limits_without_a_chip_or_someone_who_is_sure_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="an estimator with quantiles"):
        Problem(SPACE, Formula(), Limits(confidence=0.9))
    with pytest.raises(InvalidValueError, match="pass a chip to the problem"):
        Problem(SPACE, Formula(), Limits(max_tiles=3)).fits(some(5))


def test_the_limit_on_a_quantity_is_the_hard_one_before_the_soft() -> None:
    both = Limits(max_macs=5.0, max_std=0.02, soft={"macs": 3.0, "avm": 0.1})
    assert (both.on("macs"), both.on("accuracy_1d_std"), both.on("avm")) == (5.0, 0.02, 0.1)
    assert both.on("params") == both.on("accuracy_1d") == np.inf
    assert all(limited(**{limit: 7.0}).on(quantity) == 7.0 for limit, quantity in CEILINGS.items())


def test_limits_are_json_with_null_for_none() -> None:
    none = dict.fromkeys(CEILINGS) | {"min_params": 0, "min_accuracy": 0, "confidence": None}
    assert json.loads(json.dumps(Limits().to_dict())) == none
    assert json.loads(json.dumps(Limits(max_params=5, max_tiles=3).to_dict())) == none | {
        "max_params": 5,
        "max_tiles": 3,
    }
    assert Limits(soft={"macs": 2.0}, penalty=3).to_dict() == none | {"soft": {"macs": 2.0}, "penalty": 3}


def test_the_smallest_value_of_each_missed_cost_is_reported() -> None:
    population = some(50)
    least = {name: exact_cost(name, population).min() for name in ("energy", "memory")}
    one = Problem(SPACE, Formula(), Limits(max_energy=1e-12, max_memory=3, max_params=1e9), chip=CHIP)
    assert one.limits.missed_costs(one.quantities(population)) == (
        "max_memory 3, max_energy 1e-12; "
        f"smallest memory sampled: {least['memory']:,.0f}, smallest energy sampled: {least['energy']:.3g}"
    )
