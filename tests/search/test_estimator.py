"""Estimators that say only what they must."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.targets import ACCURACY, DEFAULTS, Target

from .conftest import SPACE, Formula, predicted, some


class Least(Estimator):
    """No more than an estimator needs."""

    def estimate(self, population: Population) -> Estimate:
        same = np.ones(len(population))
        return predicted(0.5 * same, 0.01 * same, 0.0 * same)


@dataclass
class Shifted(Formula):
    """The formula, each accuracy moved by so much."""

    by: float = 0.0

    def estimate(self, population: Population) -> Estimate:
        exact = super().estimate(population)
        return Estimate(exact.targets, exact.values + np.array([self.by, 0.0, 0.0]))


class AccuracyAlone(Least):
    """It estimates one target."""

    @property
    def targets(self) -> tuple[Target, ...]:
        return (ACCURACY,)


class OfSpace(Least):
    """An estimator of one space, which was made from something."""

    def __init__(self, space: ResNetSpace, made_from: str) -> None:
        self._space, self._made_from = space, made_from

    @property
    def space(self) -> ResNetSpace:
        return self._space

    @property
    def provenance(self) -> dict[str, str]:
        return {"task": self._made_from}


def test_an_estimator_needs_to_estimate_alone() -> None:
    one = Least()
    assert one.targets == DEFAULTS
    assert one.space is None
    assert one.provenance == {}
    assert not one.has_quantiles
    with pytest.raises(InvalidValueError, match="Least predicts no quantiles"):
        one.quantile(one.estimate(some(3)), 0.9)
    problem = Problem(SPACE, one, Limits())
    assert problem.quantile(one.estimate(some(3)), 0.9) is None
    assert problem.evaluate(some(3)).objective == pytest.approx([50.0] * 3)


def test_what_does_not_estimate_is_no_estimator() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Estimator()  # type: ignore[abstract]
