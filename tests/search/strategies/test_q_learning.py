from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.strategies import QLearning, Random
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from tests.search.conftest import SPACE, Formula, problem

from .conftest import Decides, fifteen


def after(one: Problem, seed: int, rounds: int = 25, **parameters: Any) -> Population:
    """What is proposed after some rounds, exploration aside."""
    strategy, rng = QLearning(one, explore_for=500, **parameters), np.random.default_rng(seed)
    for _ in range(rounds):
        population = np.unique(strategy.ask(60, rng), axis=0)
        strategy.tell(population, one.evaluate(population))
    return strategy.ask(400, rng)


@pytest.mark.parametrize("gene", ["KS0", "M", "WF1", "skip1"])
def test_it_takes_the_choice_that_decides(gene: str) -> None:
    """Wherever among the choices it comes: what it is worth must reach it over all choices that follow."""
    column = genes.GENE_NAMES.index(gene)
    one = Problem(SPACE, Decides(column), Limits())
    best = one.choices(column)[-1]
    drawn = (one.sample(400, np.random.default_rng(0))[:, column] == best).mean()
    for seed in range(3):
        assert (after(one, seed)[:, column] == best).mean() > drawn + 0.4 * (1 - drawn)


def test_a_gene_after_a_missing_block_is_chosen_in_the_state_in_which_it_is_learned() -> None:
    space = CoDesignSpace.on(SPACE)
    few = Bounds.of(space.genes, {"M": (1, 2)})  # later blocks never exist
    one = Problem(space, Formula(), Limits(), within=few)
    strategy = QLearning(one, least_exploration=0.0)
    gene = next(place for place, entry in enumerate(space.genes.entries) if not entry.block and place > 3)
    strategy._values[gene, 0, 1] = 9.0
    strategy._values[gene, 1:, 0] = 9.0
    assert (strategy._follow(50, np.random.default_rng(0))[:, gene] == 1).all()


def test_it_is_better_than_random_sampling_at_equal_evaluations() -> None:
    for seed in range(3):
        one, budget = fifteen(), Budget(50, 100, evaluations=1000)
        found = search(one, partial(QLearning, explore_for=300), seed, budget)
        drawn = search(one, Random, seed, budget)
        assert found.evaluations == drawn.evaluations == 1000
        assert found.history[-1]["objective"] > drawn.history[-1]["objective"]


def test_exploration_falls_from_one_to_its_minimum_with_the_number_of_evaluations(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = QLearning(one, explore_for=100, least_exploration=0.2)
    seen = [strategy.exploration]
    for _ in range(5):
        population = one.sample(25, rng)
        strategy.tell(population, one.evaluate(population))
        seen.append(strategy.exploration)
    assert seen == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.2, 0.2])


def test_at_first_all_are_drawn_from_what_is_affordable(rng: np.random.Generator) -> None:
    one, _ = problem()
    population = QLearning(one).ask(50, rng)
    assert len(population) == 50
    assert one.affordable(population).all()


def test_values_stay_between_nothing_and_the_whole_reward(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = QLearning(one, explore_for=100, learning_rate=1.0)
    for _ in range(10):
        population = np.unique(strategy.ask(40, rng), axis=0)
        strategy.tell(population, one.evaluate(population))
    known = strategy._values[np.isfinite(strategy._values)]
    assert ((known >= 0) & (known <= 1)).all()
    assert len(np.unique(known)) > 100


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be above 0 and at most 1, not 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0 and at most 1, not nan"),
        ({"least_exploration": 1.5}, "least_exploration must be from 0 to 1, not 1.5"),
        ({"explore_for": 0}, "explore_for must be at least 1, not 0"),
        ({"replay": 0}, "replay must be from 1 to 100,000, not 0"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        QLearning(problem()[0], **parameters)
