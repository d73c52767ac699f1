"""The contract of an objective, for every one of ours."""

from __future__ import annotations

from ohmnas.search.objective import Objective
from ohmnas.search.objectives import OBJECTIVES, objective
from ohmnas.testing import ObjectiveContract


class TestRatio(ObjectiveContract):
    name = "ratio"

    def make(self) -> Objective:
        return objective(self.name)


class TestAccuracy(TestRatio):
    name = "accuracy"


class TestWeighted(TestRatio):
    name = "weighted"


class TestTchebycheff(TestRatio):
    name = "tchebycheff"


class TestExponential(TestRatio):
    name = "exponential"


def test_every_objective_of_ours_is_here() -> None:
    kinds: list[type[TestRatio]] = [TestRatio, *TestRatio.__subclasses__()]
    assert {kind.name for kind in kinds} == {*OBJECTIVES.own}
