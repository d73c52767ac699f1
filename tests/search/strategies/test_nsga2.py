from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.search import Budget, Problem, pareto, search
from ohmnas.search.strategies import Nsga2, Random, nsga2
from ohmnas.spaces.bounds import Bounds
from tests.search.conftest import SPACE, problem

from .conftest import fifteen

pytest.importorskip("pymoo")
from pymoo.core.duplicate import DefaultDuplicateElimination
from pymoo.core.population import Population as Individuals

AIMS = ("accuracy_1d", "params")


def two_aims() -> Problem:
    return replace(problem()[0], pareto=AIMS)


def test_it_finds_the_true_front_of_a_small_space() -> None:
    within = Bounds.of(SPACE.genes, {"M": (1, 2), "R": (1, 2), "B": (1, 2), "CT": (1, 1), "WF": (1, 2), "OC0": (8, 16)})
    one = replace(two_aims(), within=within)
    everything = within.nth(np.arange(within.size))
    everything = everything[one.affordable(everything)]
    assert len(everything) > 3000
    said = one.evaluate(everything)
    losses = said.losses[said.feasible]
    best = pareto.hypervolume(losses[pareto.front(losses)])
    result = search(one, Nsga2, 0, Budget(50, 60, evaluations=2500))
    assert result.history[-1]["hypervolume"] > 0.995 * best


def test_its_front_dominates_more_than_that_of_random_sampling_at_equal_evaluations() -> None:
    for seed in range(3):
        found = search(two_aims(), Nsga2, seed, Budget(50, 100, evaluations=2000))
        drawn = search(two_aims(), Random, seed, Budget(50, 100, evaluations=2000))
        assert found.evaluations == drawn.evaluations == 2000
        assert found.history[-1]["hypervolume"] > drawn.history[-1]["hypervolume"]


def test_without_a_front_it_maximises_the_objective() -> None:
    for seed in range(3):
        one, budget = fifteen(), Budget(50, 100, evaluations=1000)
        found, drawn = search(one, Nsga2, seed, budget), search(one, Random, seed, budget)
        assert found.evaluations == drawn.evaluations == 1000
        assert found.history[-1]["objective"] > drawn.history[-1]["objective"]


def test_feasible_individuals_survive_before_any_miss(rng: np.random.Generator) -> None:
    one = two_aims()
    strategy = Nsga2(one)
    population = strategy.ask(60, rng)
    said = one.evaluate(population)
    assert 5 < said.feasible.sum() < 55
    strategy.tell(population, said)
    for _ in range(8):
        offspring = np.unique(strategy.ask(60, rng), axis=0)
        offspring = offspring[one.affordable(offspring)]
        strategy.tell(offspring, one.evaluate(offspring))
    alive = np.asarray(strategy._algorithm.pop.get("X"), dtype=np.int16)
    assert one.affordable(alive).all()  # what got no answer is worse than any miss
    assert one.evaluate(alive).feasible.all()


def test_crossover_zero_breeds_mutants_of_one_parent(rng: np.random.Generator) -> None:
    one = replace(problem(max_params=1e12, max_avm=10.0)[0], pareto=AIMS)  # neither parent beats the other
    parents = np.array([[8, 3, 5, *(1, 1, 1, 1, 0) * 5], [128, 7, 5, *(16, 12, 2, 4, 1) * 5]], dtype=np.int16)
    near = []
    for crossover in (0.0, 1.0):
        strategy = Nsga2(one, crossover=crossover)
        strategy.tell(parents, one.evaluate(parents))
        children = strategy.ask(200, rng)
        changed = np.stack([(children != parent).sum(axis=1) for parent in parents]).min(axis=0)
        near.append((changed <= 8).mean())  # M and five genes of a removed block, and two more mutations
    assert near[0] == 1
    assert near[1] < 0.7


def test_it_proposes_nothing_if_it_can_breed_nothing_new(rng: np.random.Generator) -> None:
    few = {"M": (1, 1), "R": (1, 1), "B": (1, 1), "CT": (1, 1), "WF": (1, 1), "skip": (0, 0), "KS0": (3, 3)}
    one = replace(problem(max_params=1e9, max_avm=10.0)[0], within=Bounds.of(SPACE.genes, {**few, "OC0": (8, 9)}))
    strategy = Nsga2(one)
    both = one.bounds.nth(np.arange(2))
    strategy.tell(both, one.evaluate(both))
    assert len(strategy.ask(10, rng)) == 0
    strategy.tell(both, one.evaluate(both))
    assert len(strategy.ask(10, rng)) == 0


def test_a_large_generation_is_bred_and_ranked_in_pieces_until_the_deadline(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nsga2, "LARGEST", 50)
    one, now = two_aims(), [0.0]
    strategy = Nsga2(one)

    def ranked() -> list[int]:
        sizes: list[int] = []
        tell = strategy._algorithm.tell

        def slow(infills: Any) -> None:
            sizes.append(len(infills))
            now[0] += 1.0
            tell(infills=infills)

        monkeypatch.setattr(strategy._algorithm, "tell", slow)
        return sizes

    first = strategy.ask(220, rng)
    strategy.tell(first, one.evaluate(first))
    assert len(strategy._algorithm.pop) == 50
    offspring = strategy.ask(220, rng)
    assert 150 < len(offspring) <= 220
    pieces = ranked()
    with one.clock.running(1.5, lambda: now[0]):
        strategy.tell(offspring, one.evaluate(offspring))
        assert pieces == [50, 50]  # of which the second was ranked when the time was up
        assert len(strategy.ask(220, rng)) == 50


def test_it_drops_the_equals_that_pymoos_comparison_of_all_pairs_drops(rng: np.random.Generator) -> None:
    one = two_aims()
    strategy = Nsga2(one)
    first = strategy.ask(60, rng)
    strategy.tell(first, one.evaluate(first))
    ours = strategy._algorithm.mating.eliminate_duplicates
    some, others = (Individuals.new(X=first[rng.integers(30, size=40)].astype(int)) for _ in range(2))
    kept, expected = (kind.do(some, others).get("X") for kind in (ours, DefaultDuplicateElimination()))
    assert 0 < len(kept) < 40
    assert np.array_equal(kept, expected)


@pytest.mark.parametrize("crossover", [-0.1, 1.1, float("nan")])
def test_parameters_out_of_range_are_refused(crossover: float) -> None:
    with pytest.raises(InvalidValueError, match="crossover must be a probability from 0 to 1"):
        Nsga2(problem()[0], crossover=crossover)


def test_without_pymoo_the_message_states_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymoo", None)
    with pytest.raises(
        MissingDependencyError, match=r"nsga2 needs pymoo .*; install it with: pip install 'ohmnas\[strategies\]'"
    ):
        Nsga2(problem()[0])
