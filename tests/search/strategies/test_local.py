from __future__ import annotations

from dataclasses import replace

import numpy as np

from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.strategies import Local
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from tests.search.conftest import SPACE, problem


def rows(population: Population) -> set[tuple[int, ...]]:
    return {tuple(row.tolist()) for row in population}


def neighbours(one: Problem, genome: Population) -> set[tuple[int, ...]]:
    near = one.neighbours(genome)
    return rows(near[one.affordable(near)])


def test_it_asks_for_exactly_the_neighbours_of_the_best_whose_neighbours_are_unknown(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Local(one)
    known = strategy.ask(50, rng)
    unexpanded = {tuple(row.tolist()) for row in known}
    for _ in range(5):
        strategy.tell(known, one.evaluate(known))
        candidates = np.array(sorted(unexpanded), dtype=np.int16)
        best = candidates[one.evaluate(candidates).order()[0]]
        unexpanded.remove(tuple(best.tolist()))
        near = neighbours(one, best)
        part = strategy.ask(len(near), rng)
        assert rows(part) == near
        assert len(part) == len(near)
        known = part[[tuple(row.tolist()) not in unexpanded for row in part]]
        unexpanded |= rows(known)


def test_neighbours_that_there_was_no_room_for_come_next(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Local(one)
    first = one.sample(1, rng)
    strategy.tell(first, one.evaluate(first))
    parts = []
    while len(part := strategy.ask(7, rng)):
        assert len(part) <= 7
        parts.append(part)
    assert rows(np.concatenate(parts)) == neighbours(one, first[0])
    assert [len(part) for part in parts[:-1]] == [7] * (len(parts) - 1)


def test_infeasible_rows_are_expanded_last_nearest_first(rng: np.random.Generator) -> None:
    one, _ = problem(max_avm=0.02)
    strategy = Local(one)
    population = one.sample(40, rng)
    said = one.evaluate(population)
    assert 0 < said.feasible.sum() < 40
    strategy.tell(population, said)
    for row in said.order():
        near = neighbours(one, population[row])
        assert rows(strategy.ask(len(near), rng)) == near


def test_it_covers_a_small_space_for_any_number_of_offspring() -> None:
    within = Bounds.of(
        SPACE.genes, {"M": (1, 1), "R": (1, 4), "B": (1, 3), "WF": (1, 3), "OC0": (8, 14), "KS0": (3, 7)}
    )
    one = replace(problem(max_avm=1.0)[0], within=within, limits=Limits())
    best = one.evaluate(one.bounds.nth(np.arange(one.bounds.size))).objective.max()
    for births in (10, 100):
        result = search(one, Local, 0, Budget(births, 10_000))
        assert result.stopped == "nothing new"
        assert result.evaluations == within.size == 4 * 3 * 2 * 3 * 2 * 7 * 3
        assert result.history[-1]["objective"] == best


def test_it_is_never_below_random_sampling_at_equal_evaluations() -> None:
    for seed in range(3):
        one, _ = problem()
        result = search(one, Local, seed, Budget(iterations=30))
        said = one.evaluate(one.sample(result.evaluations, np.random.default_rng(seed)))
        assert result.history[-1]["objective"] >= said.objective[said.feasible].max()
