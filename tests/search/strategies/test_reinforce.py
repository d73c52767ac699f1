from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.strategies import Random, Reinforce
from ohmnas.search.strategies.reinforce import _shares
from ohmnas.spaces.resnet import genes
from tests.search.conftest import SPACE, problem

from .conftest import Decides, fifteen


def policy(strategy: Reinforce) -> npt.NDArray[np.float64]:
    """``(g, 16)``: the probability of each choice of each gene."""
    assert strategy._logits is not None
    return _shares(strategy._logits)


@pytest.mark.parametrize("gene", ["KS0", "M", "WF1", "skip1"])
def test_probability_moves_to_the_choice_that_decides(gene: str) -> None:
    column = genes.GENE_NAMES.index(gene)
    one = Problem(SPACE, Decides(column), Limits())
    best = len(one.choices(column)) - 1
    for seed in range(3):
        strategy, rng = Reinforce(one), np.random.default_rng(seed)
        strategy.ask(1, rng)
        before = policy(strategy)[column]
        for _ in range(15):
            population = np.unique(strategy.ask(60, rng), axis=0)
            population = population[one.affordable(population)]
            strategy.tell(population, one.evaluate(population))
        now = policy(strategy)[column]
        assert now[best] > before[best] + 0.1
        assert now.argmax() == best
        assert policy(strategy).sum(axis=1) == pytest.approx(np.ones(one.genes))


def test_it_begins_like_a_sample_of_affordable_architectures(rng: np.random.Generator) -> None:
    one, _ = problem()
    population = Reinforce(one).ask(2000, rng)
    sample = one.sample(2000, np.random.default_rng(1))
    for gene in (genes.KS0, genes.M, genes.FIRST_BLOCK_GENE + genes.SKIP):
        values = one.choices(gene)
        drawn, expected = ((part[:, gene, None] == values).mean(axis=0) for part in (population, sample))
        np.testing.assert_allclose(drawn, expected, atol=0.06)


def test_choices_that_the_bounds_exclude_never_get_probability(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Reinforce(one)
    for _ in range(5):
        population = np.unique(strategy.ask(40, rng), axis=0)
        population = population[one.affordable(population)]
        strategy.tell(population, one.evaluate(population))
    for gene in range(one.genes):
        assert (policy(strategy)[gene, len(one.choices(gene)) :] == 0).all() or gene == genes.OC0


def test_entropy_keeps_a_policy_open_where_all_is_worth_the_same(rng: np.random.Generator) -> None:
    one, _ = problem(max_avm=-1.0)  # nothing is feasible: every reward is 0
    entropy = []
    for weight in (0.0, 0.05):
        strategy = Reinforce(one, entropy=weight)
        for _ in range(10):
            population = one.sample(30, rng)
            strategy.ask(1, rng)
            strategy.tell(population, one.evaluate(population))
        shares = policy(strategy)
        entropy.append(float(-(shares * np.log(shares + 1e-12)).sum()))
    assert entropy[1] > 1.1 * entropy[0]


def test_it_is_better_than_random_sampling_at_equal_evaluations() -> None:
    for seed in range(3):
        one, budget = fifteen(), Budget(50, 100, evaluations=1500)
        found, drawn = search(one, Reinforce, seed, budget), search(one, Random, seed, budget)
        assert found.evaluations == drawn.evaluations == 1500
        assert found.history[-1]["objective"] > drawn.history[-1]["objective"]


@pytest.mark.parametrize(
    "parameters",
    [{"learning_rate": 0}, {"learning_rate": float("inf")}, {"entropy": -0.1}, {"entropy": float("nan")}],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="learning_rate must be above 0 and entropy at least 0"):
        Reinforce(problem()[0], **parameters)
