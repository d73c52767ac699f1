from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.search import Budget, search
from ohmnas.search.strategies import Aging
from ohmnas.spaces.resnet import MUTATION_RATES
from tests.search.conftest import problem


def test_the_oldest_die_even_if_they_are_good(rng: np.random.Generator) -> None:
    one, _ = problem(max_avm=10.0)
    population = one.sample(30, rng)
    said = one.evaluate(population)
    best_first = said.order()
    population, said = population[best_first], said.take(best_first)
    strategy = Aging(one, alive=10)
    for start in range(0, 30, 6):  # of each six the better are told before the worse
        rows = np.arange(start, start + 6)
        strategy.tell(population[rows], said.take(rows))
        assert strategy._queue is not None
        assert strategy._queue.tolist() == population[max(start - 4, 0) : start + 6].tolist()


def test_of_more_newborn_than_live_the_last_stay(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Aging(one, alive=5)
    population = one.sample(20, rng)
    strategy.tell(population, one.evaluate(population))
    assert strategy._queue is not None
    assert strategy._queue.tolist() == population[-5:].tolist()


def test_the_parent_of_each_child_is_the_best_of_its_sample(rng: np.random.Generator) -> None:
    one, _ = problem(max_avm=10.0)
    strategy = Aging(one, alive=50, sample=3)
    population = one.sample(50, rng)
    said = one.evaluate(population)
    strategy.tell(population, said)
    children = strategy.ask(200, np.random.default_rng(5))
    again = np.random.default_rng(5)
    drawn = again.integers(50, size=(200, 3))
    place = np.argsort(said.order())
    parents = population[drawn[np.arange(200), place[drawn].argmin(axis=1)]]
    assert np.array_equal(children, one.mutate(parents, again, MUTATION_RATES))


def test_feasible_rows_win_over_infeasible_ones(rng: np.random.Generator) -> None:
    one, _ = problem()
    population = one.sample(200, rng)
    said = one.evaluate(population)
    rows = np.concatenate([np.flatnonzero(said.feasible)[:1], np.flatnonzero(~said.feasible)[:20]])
    strategy = Aging(one, sample=500)  # all are drawn
    strategy.tell(population[rows], said.take(rows))
    children = strategy.ask(200, np.random.default_rng(5))
    again = np.random.default_rng(5)
    again.integers(21, size=(200, 500))
    assert np.array_equal(children, one.mutate(np.tile(population[rows[0]], (200, 1)), again, MUTATION_RATES))


def test_it_walks_to_feasibility_where_no_first_member_is_feasible() -> None:
    one, _ = problem(max_avm=0.0051)
    assert search(one, Aging, 0, Budget(population=20, iterations=60)).best.predicted["avm"] <= 0.0051


def test_it_is_mostly_better_than_random_sampling_at_equal_evaluations() -> None:
    above = 0
    for seed in range(3):
        one, _ = problem()
        result = search(one, Aging, seed, Budget(iterations=30))
        said = one.evaluate(one.sample(result.evaluations, np.random.default_rng(seed)))
        above += result.history[-1]["objective"] > said.objective[said.feasible].max()
    assert above >= 2


@pytest.mark.parametrize("parameters", [{"alive": 0}, {"sample": 0}])
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="must be from 1 to 10,000, not"):
        Aging(problem()[0], **parameters)
