"""The contract of a strategy, for every one of ours."""

from __future__ import annotations

from functools import partial

import pytest

from ohmnas.search import Problem
from ohmnas.search.strategies import STRATEGIES, Bayesian
from ohmnas.search.strategy import Strategy
from ohmnas.testing import StrategyContract
from ohmnas.testing.formula import NARROW


class TestEvolution(StrategyContract):
    name = "evolution"

    def make(self, problem: Problem) -> Strategy:
        made: Strategy = STRATEGIES[self.name](problem)
        return made


class TestRandom(TestEvolution):
    name = "random"


class TestGrid(TestEvolution):
    name = "grid"
    draws_nothing = True
    bounds = NARROW


class TestRank(TestEvolution):
    name = "rank"
    asks_once = True


class TestAging(TestEvolution):
    name = "aging"


class TestLocal(TestEvolution):
    name = "local"


class TestNsga2(TestEvolution):
    name = "nsga2"

    def make(self, problem: Problem) -> Strategy:
        pytest.importorskip("pymoo")
        return super().make(problem)


class TestBayesian(TestEvolution):
    name = "bayesian"
    offspring = 6  # Optuna takes its time for each proposal
    generations = 3

    def make(self, problem: Problem) -> Strategy:
        pytest.importorskip("optuna")
        return partial(Bayesian, startup=8, candidates=4)(problem)


class TestQLearning(TestEvolution):
    name = "q-learning"


class TestReinforce(TestEvolution):
    name = "reinforce"


def test_every_strategy_of_ours_is_here() -> None:
    kinds: list[type[TestEvolution]] = [TestEvolution, *TestEvolution.__subclasses__()]
    assert {kind.name for kind in kinds} == {*STRATEGIES.own}
