"""The contract of a strategy, for every one that the command line knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ohmnas.cli.search import STRATEGIES
from ohmnas.search.problem import Problem
from ohmnas.search.run import Budget, Generation, search
from ohmnas.search.strategy import Strategy

from .conftest import SPACE, problem

Make = Callable[[Problem], Strategy]


@pytest.fixture(params=list(STRATEGIES))
def make(request: pytest.FixtureRequest) -> Make:
    result: Make = STRATEGIES[request.param]
    return result


def test_what_it_proposes_is_valid(make: Make, rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = make(one)
    for _ in range(4):
        population = SPACE.check(strategy.ask(40, rng))
        assert len(population) > 0
        strategy.tell(population, one.evaluate(population))


def test_it_draws_only_from_the_generator_it_is_given(make: Make) -> None:
    proposals = []
    for _ in range(2):
        one, _ = problem()
        strategy, rng = make(one), np.random.default_rng(7)
        first = strategy.ask(30, rng)
        strategy.tell(first, one.evaluate(first))
        proposals.append(strategy.ask(30, rng))
    assert np.array_equal(proposals[0], proposals[1])


def test_every_member_of_every_generation_meets_every_limit(make: Make) -> None:
    one, formula = problem()
    generations: list[Generation] = []
    search(one, make(one), 0, Budget(iterations=30), generations.append)
    assert len(generations) == 31
    for generation in generations:
        assert one.affordable(generation.born).all()
        assert (formula.forecast(generation.born).avm <= 0.02).all()


def test_the_best_so_far_never_gets_worse_and_is_what_is_returned(make: Make) -> None:
    one, formula = problem()
    result = search(one, make(one), 1, Budget(iterations=30))
    objectives = [entry["objective"] for entry in result.history]
    assert objectives == sorted(objectives)
    everything = np.concatenate(formula.asked[:-1])  # the last question is about the references
    said = one.evaluate(everything)
    feasible = said.shortfall == 0
    assert result.evaluations == len(everything)
    assert len(np.unique(everything, axis=0)) == len(everything)  # none is asked twice
    best = said.objective[feasible].max()
    assert objectives[-1] == best
    again = one.evaluate(np.array([result.best.genome], dtype=np.int16))
    assert again.objective[0] == best
    assert result.best.predicted["accuracy_1d"] == again.accuracy_1d[0]
    assert SPACE.encode([result.best.architecture])[0].tolist() == list(result.best.genome)
