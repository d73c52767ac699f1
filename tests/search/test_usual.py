from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.search.report import references
from ohmnas.search.usual import known_networks, usual_floor
from ohmnas.spaces import ResNetSpace
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.chips import CHIP_GENE_NAMES
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import GENES, Population
from ohmnas.spaces.reference import REFERENCES, reference

from .conftest import SPACE, Formula, OfChip, Predicted


@dataclass
class Calibrated:
    values: np.ndarray


@dataclass
class Fitted:
    space_: ResNetSpace
    calibration_: Calibrated


@pytest.mark.parametrize(
    ("classes", "best", "floor"), [(10, 0.98, 0.54), (10, 0.5, 0.3), (2, 0.8, 0.65), (2, 0.4, 0.5), (100, 1.0, 0.505)]
)
def test_the_floor_is_half_way_from_guessing_to_the_best(classes: int, best: float, floor: float) -> None:
    fitted = Fitted(ResNetSpace((1, 8, 8), classes), Calibrated(np.array([0.05, best])))
    assert usual_floor(fitted) == pytest.approx(floor, abs=0.006)


def test_known_networks_are_the_references_that_can_be_afforded() -> None:
    problem = Problem(SPACE, OfChip(), Limits(max_params=100_000))
    known = known_networks(problem)
    assert sorted(map(tuple, known.tolist())) == sorted(candidate.genome for candidate in references(problem))
    assert 0 < len(known) < len(REFERENCES)
    assert problem.affordable(known).all()
    nothing = replace(problem, limits=Limits(max_params=300))
    assert known_networks(nothing).shape == (0, GENES)


def test_known_networks_keep_to_the_bounds_on_genes() -> None:
    kernel = int(SPACE.encode([reference("resnet8")])[0, 1])
    problem = Problem(SPACE, OfChip(), Limits(), within=Bounds.of({"KS0": (kernel + 2, kernel + 2)}, False))
    assert not len(known_networks(problem))


def test_where_chips_are_searched_each_has_its_best_chip() -> None:
    space = CoDesignSpace(SPACE.input_shape, SPACE.classes)
    known = known_networks(Problem(space, Formula(), Limits(max_params=100_000)))
    assert known.shape[1] == GENES + len(CHIP_GENE_NAMES)
    assert len(np.unique(known[:, :GENES], axis=0)) == len(known) > 0


class Trap(Formula):
    """What no reference is guesses, never varies, and hardly spreads."""

    def forecast(self, population: Population) -> Predicted:
        known = {tuple(row) for row in SPACE.encode(REFERENCES.values()).tolist()}
        learned = np.array([tuple(row) in known for row in population.tolist()])
        return Predicted(np.where(learned, 0.98, 0.1), np.where(learned, 0.004, 0.001), np.where(learned, 0.01, 0.0))


def test_a_search_that_begins_with_known_networks_never_ends_below_them() -> None:
    problem = Problem(SPACE, Trap(), Limits(max_params=100_000, max_avm=0.02))
    evolution, budget = partial(Evolution, keep=20), Budget(30, 5)
    lost = search(problem, evolution, 0, budget)
    found = search(problem, evolution, 0, budget, given=known_networks(problem))
    assert lost.best.predicted["accuracy_1d"] == pytest.approx(0.1)
    assert found.best.predicted["accuracy_1d"] == pytest.approx(0.98)
