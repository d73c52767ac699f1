"""The contract of an estimator passes for a good one and finds bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.testing import EstimatorContract
from ohmnas.testing.formula import Formula


class TestFormula(EstimatorContract):
    draws_nothing = True

    def make(self, seed: int) -> Estimator:  # noqa: ARG002 - nothing is drawn
        return Formula()


class Ranks(Formula):
    """The place among others, which is not a property of one architecture."""

    def estimate(self, population: Population) -> Estimate:
        found = super().estimate(population)
        values = found.values.copy()
        values[:, 0] = values[:, 0].argsort().argsort() / max(len(values), 1)
        return Estimate(found.targets, values)


class Forgetful(Formula):
    """Another value each time."""

    def estimate(self, population: Population) -> Estimate:
        found = super().estimate(population)
        return Estimate(found.targets, found.values - 0.001 * len(self.asked) * np.array([1.0, 0.0, 0.0]))


class Unbounded(Formula):
    """Accuracies above 1."""

    def estimate(self, population: Population) -> Estimate:
        found = super().estimate(population)
        return Estimate(found.targets, found.values + 1.0)


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Ranks, "test_an_architecture_has_one_value_in_any_batch"),
        (Forgetful, "test_the_same_seed_gives_the_same_values"),
        (Unbounded, "test_it_estimates_each_target_of_each_architecture"),
    ],
)
def test_it_finds_what_is_wrong(kind: type[Formula], test: str) -> None:
    class Contract(EstimatorContract):
        draws_nothing = True

        def make(self, seed: int) -> Estimator:  # noqa: ARG002 - nothing is drawn
            return kind()

    with pytest.raises((AssertionError, InvalidValueError)):  # an impossible estimate cannot even be made
        getattr(Contract(), test)()
