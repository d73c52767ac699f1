from __future__ import annotations

import numpy as np

from ohmnas.search.limits import Limits
from ohmnas.search.misses import beyond_costs, beyond_predictions
from ohmnas.search.problem import Problem
from ohmnas.spaces.codesign import CoDesignSpace

from .conftest import SPACE, Formula, OfChip, Sure, exact_cost, some

DESIGNS = CoDesignSpace(SPACE.input_shape, SPACE.classes)


def test_the_least_of_each_cost_that_was_missed_is_said() -> None:
    population = some(50)
    least = {name: exact_cost(name, population).min() for name in ("energy", "memory")}
    one = Problem(SPACE, OfChip(), Limits(max_energy=1e-12, max_memory=3, max_params=1e9))
    assert beyond_costs(one, population) == (
        "none of 50 architectures meets all limits on costs: max_memory 3, max_energy 1e-12; "
        f"the least memory seen is {least['memory']:,.0f}, the least energy seen is {least['energy']:.3g}"
    )


def test_designs_are_called_so_and_the_nearest_has_its_chip() -> None:
    population = DESIGNS.sample(5, np.random.default_rng(0), 50_000)
    one = Problem(DESIGNS, Formula(), Limits(max_energy=1e-12, min_accuracy=1.0))
    assert beyond_costs(one, population).startswith("none of 5 designs meets all limits on costs: max_energy 1e-12; ")
    nearest = population[:1]
    said = beyond_predictions(one, (nearest, one.evaluate(nearest)), 7)
    assert said.startswith(
        "none of 7 designs within the cost limits has a predicted 1-day accuracy (min_accuracy) of at least 1; "
    )
    assert ", on " in said


def test_with_a_confidence_the_nearest_is_said_with_it() -> None:
    one = Problem(SPACE, Sure(), Limits(min_accuracy=0.99, confidence=0.9))
    nearest = some(1)
    outcome = one.evaluate(nearest)
    low, high = (one.quantile(outcome, probability) for probability in (1.0 - 0.9, 0.9))
    assert low is not None
    assert high is not None
    said = beyond_predictions(one, (nearest, outcome), 7)
    assert "at least 0.99 with a probability of 0.9; the nearest has with that probability AVM" in said
    assert f"AVM {high.avm[0]:.4f} at most" in said
    assert f"accuracy {low.accuracy_1d[0]:.4f} at least" in said


def test_without_any_architecture_there_is_no_nearest() -> None:
    one = Problem(SPACE, Formula(), Limits())
    assert beyond_predictions(one, None, 0) == "the strategy found no architecture within the limits on costs"
