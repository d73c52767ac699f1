"""Contracts for your own plugins, such as spaces, strategies and exporters. A contract is a test class to inherit from.

    from ohmnas.testing import StrategyContract

    class TestWandering(StrategyContract):
        def make(self, problem):
            return Wandering(problem)

pytest runs the inherited ``test_`` methods. They use plain asserts and need no pytest plugin. The same contracts test
ohmnas's own spaces, estimators, strategies, objectives, technologies, tasks and exporters.
"""

from ohmnas.testing.estimator import EstimatorContract
from ohmnas.testing.exporter import ExporterContract
from ohmnas.testing.objective import ObjectiveContract
from ohmnas.testing.spaces import SpaceContract
from ohmnas.testing.strategy import StrategyContract
from ohmnas.testing.task import TaskContract
from ohmnas.testing.technology import TechnologyContract

__all__ = [
    "EstimatorContract",
    "ExporterContract",
    "ObjectiveContract",
    "SpaceContract",
    "StrategyContract",
    "TaskContract",
    "TechnologyContract",
]
