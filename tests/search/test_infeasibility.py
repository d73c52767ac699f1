from __future__ import annotations

import numpy as np

from ohmnas.search.infeasibility import beyond_predictions
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.spaces.codesign import CoDesignSpace

from .conftest import SPACE, Formula, Monthly, Sure, some

DESIGNS = CoDesignSpace.on(SPACE)


def test_designs_are_called_so_and_the_nearest_has_its_chip() -> None:
    population = DESIGNS.sample(5, np.random.default_rng(0), 50_000)
    one = Problem(DESIGNS, Formula(), Limits(max_energy=1e-12, min_accuracy=1.0))
    nearest = population[:1]
    said = beyond_predictions(one, (nearest, one.evaluate(nearest)), 7)
    assert said.startswith(
        "none of 7 designs within the cost limits has a predicted 1-day accuracy (min_accuracy) of at least 1; "
    )
    assert ", on " in said


def test_with_a_confidence_the_message_states_the_bounds_of_the_nearest() -> None:
    one = Problem(SPACE, Sure(), Limits(max_avm=0.0, min_accuracy=0.99, confidence=0.9))
    nearest = some(1)
    outcome = one.evaluate(nearest)
    low, high = (one.quantile(outcome.estimate, probability) for probability in (1.0 - 0.9, 0.9))
    assert low is not None
    assert high is not None
    said = beyond_predictions(one, (nearest, outcome), 7)
    assert "at least 0.99 with a probability of 0.9; the nearest has with that probability 1-day accuracy" in said
    assert f"accuracy of at least {low['accuracy_1d'][0]:.4f}" in said
    assert f"AVM of at most {high['avm'][0]:.4f}" in said


def test_limits_on_any_target_are_named_by_their_titles() -> None:
    limits = Limits(least={"accuracy_1mo": 0.99}, most={"accuracy_1h_std": 0.001})
    one = Problem(SPACE, Monthly(), limits)
    nearest = some(1)
    outcome = one.evaluate(nearest)
    said = beyond_predictions(one, (nearest, outcome), 7)
    assert (
        "has a predicted std over chips after 1 hour of at most 0.001 and a predicted accuracy after 1 month "
        "(min_accuracy_1mo) of at least 0.99; the nearest has"
    ) in said
    month, hour = (outcome.estimate[name][0] for name in ("accuracy_1mo", "accuracy_1h_std"))
    assert f"accuracy after 1 month {month:.4f} and std over chips after 1 hour {hour:.4f}, with" in said


def test_without_any_architecture_there_is_no_nearest() -> None:
    one = Problem(SPACE, Formula(), Limits())
    assert beyond_predictions(one, None, 0) == "the strategy found no architecture within the cost limits"
