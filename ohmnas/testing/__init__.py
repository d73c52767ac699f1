"""Contracts for spaces, estimators, strategies, objectives, technologies and tasks, for the tests of your own package.

    from ohmnas.testing import StrategyContract

    class TestWandering(StrategyContract):
        def make(self, problem):
            return Wandering(problem)

pytest runs the inherited ``test_`` methods; they are plain functions with asserts and need no plug-in. Our own
estimators, strategies, objectives, technologies and tasks are tested with the same contracts.
"""

from ohmnas.testing.estimator import EstimatorContract
from ohmnas.testing.objective import ObjectiveContract
from ohmnas.testing.spaces import SpaceContract
from ohmnas.testing.strategy import StrategyContract
from ohmnas.testing.task import TaskContract
from ohmnas.testing.technology import TechnologyContract

__all__ = [
    "EstimatorContract",
    "ObjectiveContract",
    "SpaceContract",
    "StrategyContract",
    "TaskContract",
    "TechnologyContract",
]
