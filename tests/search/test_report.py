from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from ohmnas.errors import InfeasibleError
from ohmnas.estimate import Estimate
from ohmnas.search.archive import Archive
from ohmnas.search.candidate import COVERAGE, OTHER_COSTS
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.report import beyond_predictions, candidates, describe, references
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.references import REFERENCES
from ohmnas.targets import ACCURACY, DEFAULT_NAMES, SPREAD, TARGETS, Target

from .conftest import CHIP, FEW, SPACE, Formula, Monthly, Sure, exact_cost, some

DESIGNS = CoDesignSpace.on(SPACE)
PROBLEM = Problem(SPACE, Formula(), Limits(max_params=100_000), chip=CHIP)


def test_the_content_of_an_archive_is_described_best_first() -> None:
    archive, population = Archive(), some(12)
    described = partial(describe, PROBLEM, archive, evaluations=12, seconds=1.5, seed=3, history=[])
    with pytest.raises(InfeasibleError, match="no architecture within the cost limits; the time limit was reached"):
        described(top=1, stopped="seconds")
    evaluation = PROBLEM.evaluate(population)
    archive.add(population, evaluation)
    found = described(top=3, stopped="iterations")
    assert found.best.genome == tuple(population[np.argmax(evaluation.objective)])
    assert found.top[0].genome == found.best.genome
    assert len(found.top) == 3
    assert len(found.population) == 12
    assert (found.evaluations, found.seconds, found.seed, found.front) == (12, 1.5, 3, [])
    assert [one.name for one in found.references] == [one.name for one in references(PROBLEM)]
    assert described(top=1, stopped="iterations").top == []


def test_an_infeasible_search_names_the_reference_that_sets_its_limits() -> None:
    limited = replace(PROBLEM, limits=Limits(min_accuracy=1.0, max_avm=0.0, reference="resnet8-w8"))
    archive, population = Archive(), some(4)
    described = partial(describe, limited, archive, top=1, evaluations=4, seconds=1.0, seed=0, history=[])
    with pytest.raises(InfeasibleError) as empty:
        described(stopped="seconds")
    assert empty.value.reference == ""
    archive.add(population, limited.evaluate(population))
    for stopped in ("seconds", "iterations"):
        with pytest.raises(InfeasibleError, match="from the reference network resnet8-w8") as error:
            described(stopped=stopped)
        assert error.value.reference == "resnet8-w8"


def test_an_infeasible_search_does_not_name_a_reference_whose_limits_are_met() -> None:
    limited = replace(PROBLEM, limits=Limits(max_avm=1.0, max_std=1e-9, reference="resnet8-w8"))
    archive, population = Archive(), some(4)
    archive.add(population, limited.evaluate(population))
    with pytest.raises(InfeasibleError) as error:
        describe(limited, archive, top=1, evaluations=4, seconds=1.0, seed=0, history=[], stopped="seconds")
    assert error.value.reference == ""


@dataclass
class FromAMinute(Formula):
    """Its variation begins after a minute, as in tables without readings after a second."""

    @property
    def targets(self) -> tuple[Target, ...]:
        return ACCURACY, SPREAD, TARGETS["avm_60s"]

    def estimate(self, population: Population) -> Estimate:
        return Estimate(self.targets, super().estimate(population).values)


def test_the_reference_is_named_for_any_variation_that_it_limits() -> None:
    limits = Limits(most={"avm_60s": -1.0}, reference="resnet8-w8")
    limited, archive, population = Problem(SPACE, FromAMinute(), limits, chip=CHIP), Archive(), some(4)
    archive.add(population, limited.evaluate(population))
    with pytest.raises(InfeasibleError) as error:
        describe(limited, archive, top=1, evaluations=4, seconds=1.0, seed=0, history=[], stopped="seconds")
    assert error.value.reference == "resnet8-w8"


def test_candidates_are_the_rows_with_their_exact_costs() -> None:
    population = some(12)
    found = candidates(PROBLEM, population, PROBLEM.evaluate(population))
    assert [one.architecture for one in found] == SPACE.decode(population)
    assert [one.genome for one in found] == [tuple(row) for row in population.tolist()]
    assert [one.params for one in found] == SPACE.params(population).tolist()
    assert [one.macs for one in found] == SPACE.macs(population).tolist()
    assert all(type(cost) is int for one in found for cost in (*one.genome, one.params, one.macs))
    for name in OTHER_COSTS:
        assert [one.costs[name] for one in found] == exact_cost(name, population).tolist()


def test_costs_on_tiles_need_a_known_chip() -> None:
    population = some(2)
    unknown = replace(PROBLEM, chip=None)
    assert candidates(unknown, population, unknown.evaluate(population))[0].costs.keys() == {"size", "memory"}
    assert candidates(PROBLEM, population, PROBLEM.evaluate(population))[0].costs.keys() == set(OTHER_COSTS)


def test_predictions_are_those_of_the_row() -> None:
    population = some(6)
    evaluation = PROBLEM.evaluate(population)
    estimate = Formula().estimate(population)
    found = candidates(PROBLEM, population, evaluation)
    for row, one in enumerate(found):
        by_hand = {name: float(estimate[name][row]) for name in DEFAULT_NAMES}
        assert one.predicted == evaluation.estimate.row(row) == by_hand
        assert one.interval == {}


def test_intervals_leave_as_much_above_as_below() -> None:
    population = some(3)
    sure = replace(PROBLEM, estimator=Sure())
    for one in candidates(sure, population, sure.evaluate(population)):
        for name, shift in (("accuracy_1d", 0.01 * COVERAGE), ("avm", 0.01 * COVERAGE), ("accuracy_1d_std", 0.0)):
            middle = one.predicted[name]
            assert one.interval[name] == pytest.approx((middle - shift, middle + shift))


def test_references_are_those_within_the_limits_best_prediction_first() -> None:
    found = references(PROBLEM)
    costs = dict(zip(REFERENCES, SPACE.params(SPACE.encode(REFERENCES.values())).tolist(), strict=True))
    assert {one.name: one.params for one in found} == {name: n for name, n in costs.items() if n <= 100_000}
    assert 3 < len(found) < len(REFERENCES)
    accuracies = [one.predicted["accuracy_1d"] for one in found]
    assert accuracies == sorted(accuracies, reverse=True)
    assert all(one.architecture == REFERENCES[one.name] for one in found)


def test_references_need_not_be_where_is_searched() -> None:
    """Bounds on genes say where to look; a well-known network outside of them is still to be beaten."""
    bounded = replace(PROBLEM, within=FEW)
    assert [one.name for one in references(bounded)] == [one.name for one in references(PROBLEM)]


def test_without_an_affordable_reference_the_list_is_empty() -> None:
    assert references(replace(PROBLEM, limits=Limits(max_params=100))) == []
    population = some(3)[:0]
    assert candidates(PROBLEM, population, PROBLEM.evaluate(population)) == []
    assert np.isfinite(PROBLEM.scale("tiles")[1])


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
    assert "at least 0.99 with a probability of 0.9; the nearest has " in said
    assert " parameters and, with that probability, a predicted 1-day accuracy of at least" in said
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
    assert f"accuracy after 1 month of {month:.4f} and a predicted std over chips after 1 hour of {hour:.4f}: " in said


def test_without_any_architecture_there_is_no_nearest() -> None:
    one = Problem(SPACE, Formula(), Limits())
    assert beyond_predictions(one, None, 0) == "the strategy found no architecture within the cost limits"
