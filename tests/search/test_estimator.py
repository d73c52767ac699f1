"""Estimators that say only what they must."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population
from ohmnas.targets import DEFAULTS

from .conftest import SPACE, predicted, some


class Least(Estimator):
    """No more than an estimator needs."""

    def estimate(self, population: Population) -> Estimate:
        same = np.ones(len(population))
        return predicted(0.5 * same, 0.01 * same, 0.0 * same)


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


def test_a_class_without_estimate_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Estimator()  # type: ignore[abstract]
