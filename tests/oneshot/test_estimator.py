from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.estimator import SupernetEstimator
from ohmnas.oneshot.supernet import Supernet
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.estimator import Estimator
from ohmnas.search.objective import Accuracy
from ohmnas.search.strategies import Random
from ohmnas.spaces.genes import Population
from ohmnas.testing import EstimatorContract


class TestSupernetEstimator(EstimatorContract):
    rows: ClassVar[int] = 4
    max_params: ClassVar[int] = 4_000
    trained: ClassVar[Supernet]

    @pytest.fixture(autouse=True)
    def _supernet(self, supernet: Supernet) -> None:
        type(self).trained = supernet

    def make(self, seed: int) -> Estimator:
        return SupernetEstimator(self.trained, chips=2, images=50, seed=seed)

    def population(self, seed: int = 0) -> Population:
        plan = self.trained.plan
        return plan.space.sample(self.rows, np.random.default_rng(seed), 4_000, within=plan.within)

    def test_a_search_can_ask_it(self) -> None:
        """Within the networks of the supernet; references beyond them are left out."""
        plan = self.trained.plan
        problem = Problem(plan.space, self.make(0), Limits(plan.max_params, plan.max_macs), Accuracy(), plan.within)
        result = search(problem, Random, 0, Budget(4, 0))
        assert plan.contains(np.array([result.best.genome], dtype=np.int16)).all()
        assert all(plan.contains(np.array([one.genome], dtype=np.int16)).all() for one in result.references)


def test_a_network_beyond_the_supernet_is_refused(supernet: Supernet) -> None:
    population = supernet.plan.space.encode([supernet.plan.space.references["resnet20"]])
    one = SupernetEstimator(supernet, 2, 50)
    assert not one.accepts(population).any()
    with pytest.raises(InvalidValueError, match="the supernet has networks"):
        one.estimate(population)


@pytest.mark.parametrize(("chips", "images"), [(1, 50), (2, 0)])
def test_a_reading_needs_chips_and_images(supernet: Supernet, chips: int, images: int) -> None:
    with pytest.raises(InvalidValueError, match="at least 2 chips"):
        SupernetEstimator(supernet, chips, images)
