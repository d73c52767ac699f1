"""Cascades of two estimators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.estimators import Cascade
from ohmnas.search.estimator import Estimator
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Evolution
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.targets import ACCURACY, DEFAULTS, SPREAD, VARIATION, Target
from ohmnas.testing import EstimatorContract
from ohmnas.testing.formula import SPACE, Formula


class TestCascade(EstimatorContract):
    depends_on_batch = True
    draws_nothing = True

    def make(self, seed: int) -> Estimator:  # noqa: ARG002 - nothing is drawn
        return Cascade(Formula(), Shifted(by=0.01), share=0.25)


@dataclass
class Shifted(Formula):
    """The formula, each accuracy moved by so much."""

    by: float = 0.0

    def estimate(self, population: Population) -> Estimate:
        exact = super().estimate(population)
        return Estimate(exact.targets, exact.values + np.array([self.by, 0.0, 0.0]))


class AccuracyAlone(Formula):
    """It estimates one target."""

    @property
    def targets(self) -> tuple[Target, ...]:
        return (ACCURACY,)


class OfSpace(Formula):
    """An estimator of one space, which was made from something."""

    def __init__(self, space: ResNetSpace, made_from: str) -> None:
        super().__init__()
        self._space, self._made_from = space, made_from

    @property
    def space(self) -> ResNetSpace:
        return self._space

    @property
    def provenance(self) -> dict[str, str]:
        return {"task": self._made_from}


def some(n: int) -> Population:
    return SPACE.sample(n, np.random.default_rng(0), max_params=50_000)


def test_a_cascade_that_asks_the_dear_one_about_all_is_the_dear_one() -> None:
    population = some(30)
    expensive = Shifted(by=0.1)
    found = Cascade(Formula(), expensive, share=1.0).estimate(population)
    np.testing.assert_array_equal(found.values, expensive.estimate(population).values)
    assert found.targets == DEFAULTS


@pytest.mark.parametrize("rank_by", [ACCURACY, SPREAD, VARIATION], ids=lambda target: target.name)
@given(st.integers(1, 40), st.floats(0.01, 1.0))
def test_the_expensive_estimator_gets_its_share_of_the_best_rows(rank_by: Target, n: int, share: float) -> None:
    population = some(40)[:n]
    expensive = Formula()
    cheap = Formula()
    Cascade(cheap, expensive, rank_by, share).estimate(population)
    assert len(cheap.asked) == len(expensive.asked) == 1
    np.testing.assert_array_equal(cheap.asked[0], population)
    several = len(expensive.asked[0])
    assert several == max(1, int(np.ceil(share * n)))
    values = Formula().estimate(population)[rank_by.name]
    asked = {row.tobytes() for row in expensive.asked[0]}
    is_asked = np.array([row.tobytes() in asked for row in population])
    assert is_asked.sum() == several
    losses = -values if rank_by.larger_is_better else values
    if not is_asked.all():
        assert losses[is_asked].max() <= losses[~is_asked].min()


def test_rows_that_the_dear_one_did_not_see_are_on_its_scale() -> None:
    """If the estimators differ by a constant, the cascade predicts what the expensive one predicts."""
    population = some(30)
    expensive = Shifted(by=-0.2)
    for share in (0.05, 0.3, 1.0):
        found = Cascade(Formula(), expensive, share=share).estimate(population)
        np.testing.assert_allclose(found.values, expensive.estimate(population).values, atol=1e-12)


def test_estimates_stay_within_what_their_targets_can_be() -> None:
    population = some(30)
    found = Cascade(Formula(), Shifted(by=-0.58), share=0.1).estimate(population)
    assert found["accuracy_1d"].min() == 0.0
    assert all((one.low <= found[one.name]).all() and (found[one.name] <= one.high).all() for one in found.targets)


def test_the_dear_one_is_asked_nothing_about_nobody() -> None:
    expensive = Formula()
    assert len(Cascade(Formula(), expensive).estimate(some(1)[:0])) == 0
    assert expensive.asked == []


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_a_share_of_none_or_more_than_all_is_refused(share: float) -> None:
    with pytest.raises(InvalidValueError, match="must be above 0 and at most 1, not"):
        Cascade(Formula(), Formula(), share=share)


def test_estimators_that_do_not_fit_together_are_refused() -> None:
    other = ResNetSpace((1, 8, 8), 11)
    with pytest.raises(InvalidValueError, match="must have the same targets"):
        Cascade(Formula(), AccuracyAlone())
    with pytest.raises(InvalidValueError, match="must have the same space"):
        Cascade(OfSpace(SPACE, "a"), OfSpace(other, "b"))
    with pytest.raises(InvalidValueError, match=r"must be a target of both estimators \(accuracy_1d.*\), not avm"):
        Cascade(AccuracyAlone(), AccuracyAlone(), VARIATION)


def test_a_cascade_knows_what_either_knows() -> None:
    known, unknown = OfSpace(SPACE, "digits"), Formula()
    for one in (Cascade(known, unknown), Cascade(unknown, known)):
        assert one.space == SPACE
        assert one.provenance == {"task": "digits"}
        assert not one.has_quantiles
    assert Cascade(OfSpace(SPACE, "a"), OfSpace(SPACE, "b")).provenance == {"task": "b"}
    assert Cascade(unknown, unknown).space is None


def test_a_search_can_ask_a_cascade() -> None:
    expensive = Formula()
    result = search(Problem(SPACE, Cascade(Formula(), expensive), Limits(50_000)), Evolution, 0, Budget(20, 3))
    assert result.best.predicted.keys() == {one.name for one in DEFAULTS}
    assert sum(map(len, expensive.asked)) < result.evaluations
