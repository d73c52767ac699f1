from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.estimate import Estimate
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES
from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.search.defaults import default_floor, known_networks, reference_floor
from ohmnas.search.report import references
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENES
from ohmnas.spaces.resnet.references import REFERENCES, reference

from .conftest import CHIP, SPACE, Formula, Sure, predicted


@pytest.mark.parametrize(
    ("classes", "best", "floor"), [(10, 0.98, 0.54), (10, 0.5, 0.3), (2, 0.8, 0.65), (2, 0.4, 0.5), (100, 1.0, 0.505)]
)
def test_the_floor_is_half_way_from_guessing_to_the_best(classes: int, best: float, floor: float) -> None:
    assert default_floor(best, classes) == pytest.approx(floor, abs=0.006)


def test_known_networks_are_the_references_that_can_be_afforded() -> None:
    problem = Problem(SPACE, Formula(), Limits(max_params=100_000), chip=CHIP)
    known = known_networks(problem)
    assert sorted(map(tuple, known.tolist())) == sorted(candidate.genome for candidate in references(problem))
    assert 0 < len(known) < len(REFERENCES)
    assert problem.affordable(known).all()
    nothing = replace(problem, limits=Limits(max_params=300))
    assert known_networks(nothing).shape == (0, GENES)


def test_known_networks_keep_to_the_bounds_on_genes() -> None:
    kernel = int(SPACE.encode([reference("resnet8")])[0, 1])
    problem = Problem(
        SPACE, Formula(), Limits(), within=Bounds.of(SPACE.genes, {"KS0": (kernel + 2, kernel + 2)}), chip=CHIP
    )
    assert not len(known_networks(problem))


def test_in_co_design_each_reference_has_its_best_chip() -> None:
    space = CoDesignSpace.on(SPACE)
    known = known_networks(Problem(space, Formula(), Limits(max_params=100_000)))
    assert known.shape[1] == GENES + len(CHIP_GENE_NAMES)
    assert len(np.unique(known[:, :GENES], axis=0)) == len(known) > 0


@given(st.floats(3e3, 1e6), st.floats(0.0, 0.06), st.sampled_from([None, 0.8]))
def test_the_floor_is_the_most_accurate_reference_within_the_limits(
    most: float, avm: float, confidence: float | None
) -> None:
    problem = Problem(SPACE, Sure(), Limits(max_params=most, max_avm=avm, confidence=confidence))
    within = [candidate for candidate in references(problem) if not candidate.misses]
    floored = reference_floor(problem)
    if not within:
        assert floored is problem
        return
    still = [candidate for candidate in references(floored) if not candidate.misses]
    best = max(within, key=lambda candidate: candidate.predicted["accuracy_1d"])
    assert best.name == floored.limits.reference
    assert best.name in {candidate.name for candidate in still}
    for candidate in still:
        assert candidate.predicted["accuracy_1d"] >= best.predicted["accuracy_1d"]
        assert candidate.predicted["avm"] <= best.predicted["avm"]
    assert replace(floored.limits, min_accuracy=0, max_avm=avm, reference="") == problem.limits


def test_tighter_limits_of_the_problem_are_kept() -> None:
    problem = Problem(SPACE, Formula(), Limits(max_params=100_000, min_accuracy=0.2))
    floored = reference_floor(problem)
    assert floored.limits.min_accuracy > 0.2
    assert floored.limits.max_avm < np.inf
    tight = replace(problem, limits=replace(problem.limits, max_avm=floored.limits.max_avm - 1e-3))
    assert reference_floor(tight).limits.max_avm == tight.limits.max_avm


def test_a_floored_search_finds_nothing_worse_than_the_reference() -> None:
    problem = reference_floor(Problem(SPACE, Formula(), Limits(max_params=60_000)))
    result = search(problem, Evolution, 0, Budget(30, 10), initial=known_networks(problem))
    reference_network = next(known for known in result.references if known.name == problem.limits.reference)
    for name, sign in (("accuracy_1d", 1), ("avm", -1)):
        assert sign * result.best.predicted[name] >= sign * reference_network.predicted[name]
    assert result.constraints["reference"] == problem.limits.reference


class Trap(Formula):
    """What no reference is guesses, never varies, and hardly spreads."""

    def estimate(self, population: Population) -> Estimate:
        known = {tuple(row) for row in SPACE.encode(REFERENCES.values()).tolist()}
        learned = np.array([tuple(row) in known for row in population.tolist()])
        return predicted(np.where(learned, 0.98, 0.1), np.where(learned, 0.004, 0.001), np.where(learned, 0.01, 0.0))


def test_a_search_from_known_networks_never_ends_below_them() -> None:
    problem = Problem(SPACE, Trap(), Limits(max_params=100_000, max_avm=0.02))
    evolution, budget = partial(Evolution, keep=20), Budget(30, 5)
    lost = search(problem, evolution, 0, budget)
    found = search(problem, evolution, 0, budget, initial=known_networks(problem))
    assert lost.best.predicted["accuracy_1d"] == pytest.approx(0.1)
    assert found.best.predicted["accuracy_1d"] == pytest.approx(0.98)
