from __future__ import annotations

import numpy as np

from ohmnas.search.evolution import Evolution
from ohmnas.search.run import Budget, Generation, search

from .conftest import problem


def test_only_feasible_architectures_breed_once_there_are_any(rng: np.random.Generator) -> None:
    one, formula = problem()
    strategy = Evolution(one)
    for _ in range(10):
        population = strategy.ask(100, rng)
        population = population[one.affordable(population)]
        strategy.tell(population, one.evaluate(population))
        assert strategy.parents is not None
        assert len(strategy.parents) <= 80
        assert one.affordable(strategy.parents).all()
        assert (formula.forecast(strategy.parents).avm <= 0.02).all()


def test_the_best_parents_are_kept(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Evolution(one, keep=5)
    population = one.sample(60, rng)
    evaluation = one.evaluate(population)
    strategy.tell(population, evaluation)
    feasible = evaluation.objective[evaluation.shortfall == 0]
    assert strategy.parents is not None
    kept = one.evaluate(strategy.parents).objective
    assert np.array_equal(kept, np.sort(feasible)[::-1][:5])


def test_it_walks_to_feasibility_where_no_first_member_is_feasible() -> None:
    one, _ = problem(max_avm=0.0051)  # five blocks of one, all with skips: the only ones below
    generations: list[Generation] = []
    result = search(one, Evolution(one), 0, Budget(population=20, iterations=60), generations.append)
    assert len(generations[0].born) == 0
    assert result.best.predicted["avm"] <= 0.0051


def test_it_is_never_below_random_sampling_at_equal_evaluations_and_mostly_above() -> None:
    above = 0
    for seed in range(5):
        one, _ = problem()
        result = search(one, Evolution(one), seed, Budget(iterations=30))
        sample = one.sample(result.evaluations, np.random.default_rng(seed))
        said = one.evaluate(sample)
        found, drawn = result.history[-1]["objective"], said.objective[said.shortfall == 0].max()
        assert found >= drawn
        above += found > drawn
    assert above >= 3
