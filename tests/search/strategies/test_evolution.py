from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search import Budget, Evolution, Problem, search
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.run import Generation
from ohmnas.search.strategies import Grid, Random
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from tests.search.conftest import SPACE, problem

from .conftest import fifteen

UNCHANGED: dict[str, Any] = {"depth": 0.0, "width": 0.0, "other": 0.0, "crossover": 0.0, "steps": 0}
"""Rates with which children are their parents."""


def feasible(n: int, seed: int = 0) -> tuple[Problem, Population, Evaluation]:
    """A problem and n feasible architectures, best first."""
    one, _ = problem()
    population = one.sample(20 * n, np.random.default_rng(seed))
    said = one.evaluate(population)
    rows = said.order()[:n]
    assert said.feasible[rows].all()
    return one, population[rows], said.take(rows)


def shares(strategy: Evolution, parents: Population, n: int = 20_000) -> npt.NDArray[np.float64]:
    """How often each parent breeds."""
    children = Counter(row.tobytes() for row in strategy.ask(n, np.random.default_rng(0)))
    assert children.total() == n
    assert set(children) <= {row.tobytes() for row in parents}
    return np.array([children[row.tobytes()] / n for row in parents])


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
        assert (formula.estimate(strategy.parents)["avm"] <= 0.02).all()


@pytest.mark.parametrize("selection", ["elitism", "tournament", "proportionate"])
def test_the_best_of_parents_and_children_survive(selection: str, rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Evolution(one, keep=5, selection=selection)
    everything = []
    for _ in range(3):
        population = one.sample(60, rng)
        said = one.evaluate(population)
        everything += said.objective[said.feasible].tolist()
        strategy.tell(population, said)
        assert strategy.parents is not None
        assert one.evaluate(strategy.parents).objective.tolist() == sorted(everything, reverse=True)[:5]


def test_with_elitism_all_survivors_breed_equally() -> None:
    one, parents, said = feasible(10)
    strategy = Evolution(one, selection="elitism", **UNCHANGED)
    strategy.tell(parents, said)
    np.testing.assert_allclose(shares(strategy, parents), 0.1, atol=0.01)


@pytest.mark.parametrize("size", [2, 5])
def test_in_a_tournament_a_parent_breeds_if_it_is_the_best_of_those_drawn(size: int) -> None:
    one, parents, said = feasible(10)
    strategy = Evolution(one, selection="tournament", tournament=size, **UNCHANGED)
    strategy.tell(parents, said)
    worse_or_equal = np.arange(10, -1, -1) / 10
    expected = worse_or_equal[:-1] ** size - worse_or_equal[1:] ** size
    np.testing.assert_allclose(shares(strategy, parents), expected, atol=0.015)


def test_roulette_selects_parents_in_proportion_to_their_lead_over_the_worst() -> None:
    one, parents, said = feasible(10)
    strategy = Evolution(one, selection="proportionate", **UNCHANGED)
    strategy.tell(parents, said)
    above = said.objective - said.objective[-1]
    expected = (above + above.mean() / 10) / (above + above.mean() / 10).sum()
    assert expected[0] > 5 * expected[-1] > 0
    np.testing.assert_allclose(shares(strategy, parents), expected, atol=0.015)


def test_of_equal_parents_by_roulette_all_breed() -> None:
    one, parents, said = feasible(4)
    equal = Evaluation(np.ones(4), *(getattr(said, name) for name in said.__slots__[1:]))
    strategy = Evolution(one, selection="proportionate", **UNCHANGED)
    strategy.tell(parents, equal)
    np.testing.assert_allclose(shares(strategy, parents), 0.25, atol=0.02)


def test_the_youngest_and_the_best_survive_for_any_objectives() -> None:
    one, population, said = feasible(60)
    strategy = Evolution(one, keep=10, selection="youngest")
    old, young = np.arange(20), np.arange(45, 60)
    strategy.tell(population[old], said.take(old))
    strategy.tell(population[young], said.take(young))
    assert strategy.parents is not None
    assert strategy.parents[0].tolist() == population[0].tolist()
    assert strategy.parents[1:].tolist() == population[young][:9].tolist()


def test_few_youngest_leave_room_for_the_best_of_their_parents() -> None:
    one, population, said = feasible(40)
    strategy = Evolution(one, keep=10, selection="youngest")
    old, young = np.arange(30), np.arange(36, 40)
    strategy.tell(population[old], said.take(old))
    strategy.tell(population[young], said.take(young))
    assert strategy.parents is not None
    assert strategy.parents.tolist() == population[[0, 1, 2, 3, 4, 5, 36, 37, 38, 39]].tolist()


def two_parents() -> tuple[Problem, Population, Evaluation]:
    """Parents that differ in every gene of the stem and of all blocks but the number of these."""
    one, _ = problem(max_params=1e12, max_avm=10.0)
    parents = np.array([[8, 3, 5, *(1, 1, 1, 1, 0) * 5], [128, 7, 5, *(16, 12, 2, 4, 1) * 5]], dtype=np.int16)
    return one, parents, one.evaluate(parents)


def test_all_children_of_crossover_one_have_two_parents() -> None:
    one, parents, said = two_parents()
    strategy = Evolution(one, selection="elitism", **{**UNCHANGED, "crossover": 1.0})
    strategy.tell(parents, said)
    children = strategy.ask(2000, np.random.default_rng(0))
    assert ((children == parents[0]) | (children == parents[1])).all()
    units = children[:, [genes.OC0, genes.KS0, *range(genes.FIRST_BLOCK_GENE, genes.GENES, genes.GENES_PER_BLOCK)]]
    mixed = (units != parents[0][0]).any(axis=1) & (children != parents[0]).any(axis=1)
    mixed &= (children != parents[1]).any(axis=1)
    assert mixed.mean() == pytest.approx(0.5 * (1 - 2 / 2**7), abs=0.05)  # half of the pairs are of one parent twice


def test_crossover_is_the_share_of_children_with_two_parents() -> None:
    one, parents, said = two_parents()
    share = []
    for crossover in (0.0, 0.5):
        strategy = Evolution(one, selection="elitism", **{**UNCHANGED, "crossover": crossover})
        strategy.tell(parents, said)
        children = strategy.ask(2000, np.random.default_rng(0))
        share.append(((children != parents[0]).any(axis=1) & (children != parents[1]).any(axis=1)).mean())
    assert share[0] == 0
    assert share[1] == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize(
    ("group", "columns"),
    [("depth", {"M", "R", "CT"}), ("width", {"OC0", "B", "WF"}), ("other", {"KS0", "skip"})],
)
def test_rates_of_mutation_say_what_changes(group: str, columns: set[str]) -> None:
    one, _ = problem()
    parent = np.array([[64, 5, 3, *(5, 5, 1, 2, 0, 5, 5, 2, 3, 1, 5, 5, 1, 2, 0), *[0] * 10]], dtype=np.int16)
    strategy = Evolution(one, **{**UNCHANGED, group: 1.0})
    strategy.tell(parent, one.evaluate(parent))
    children = strategy.ask(500, np.random.default_rng(0))
    assert ("M" in columns) == (children[:, genes.M] != 3).any()
    children = children[children[:, genes.M] == 3]  # a block more or less changes all of its genes
    changed = np.array(genes.GENE_NAMES)[(children != parent).any(axis=0)]
    names = {name if name in {"OC0", "KS0", "M"} else name[:-1] for name in changed}
    assert names == columns - {"M"}


def test_unproposed_neighbours_of_the_best_are_kept_next_to_children() -> None:
    one, parents, said = feasible(10)
    strategy = Evolution(one, steps=2)
    strategy.tell(parents, said)
    asked = np.concatenate([strategy.ask(40, np.random.default_rng(0)) for _ in range(20)])
    near = np.concatenate([one.neighbours(parent) for parent in parents[:2]])
    there = {genome.tobytes() for genome in asked}
    assert {genome.tobytes() for genome in near} <= there
    first = strategy_asked_first(one, parents, said)
    assert 0.3 < np.mean([genome.tobytes() in {row.tobytes() for row in near} for genome in first[:20]]) < 0.8
    strategy.tell(parents, said)  # nothing better came: the next two have their turn
    later = {genome.tobytes() for genome in strategy.ask(1000, np.random.default_rng(0))}
    following = np.concatenate([one.neighbours(parent) for parent in parents[2:4]])
    assert {genome.tobytes() for genome in following} <= later


def strategy_asked_first(one: Problem, parents: Population, said: Evaluation) -> Population:
    strategy = Evolution(one, steps=2)
    strategy.tell(parents, said)
    return strategy.ask(60, np.random.default_rng(0))


def test_it_walks_to_feasibility_where_no_first_member_is_feasible() -> None:
    one, _ = problem(max_avm=0.0051)  # five blocks of one, all with skips: the only ones below
    generations: list[Generation] = []
    result = search(one, Evolution, 0, Budget(population=20, iterations=60), generations.append)
    assert len(generations[0].born) == 0
    assert result.best.predicted["avm"] <= 0.0051


def test_it_is_never_below_random_sampling_at_equal_evaluations_and_mostly_above() -> None:
    above = 0
    for seed in range(5):
        one, _ = problem()
        result = search(one, Evolution, seed, Budget(iterations=30))
        said = one.evaluate(one.sample(result.evaluations, np.random.default_rng(seed)))
        found, drawn = result.history[-1]["objective"], said.objective[said.feasible].max()
        assert found >= drawn
        above += found > drawn
    assert above >= 3


@pytest.mark.parametrize("selection", ["elitism", "tournament", "proportionate", "youngest"])
def test_every_selection_breeds_better_than_random_sampling(selection: str) -> None:
    for seed in range(2):
        one, budget = fifteen(), Budget(50, 100, evaluations=1000)
        found = search(one, partial(Evolution, selection=selection), seed, budget)
        drawn = search(one, Random, seed, budget)
        assert found.evaluations == drawn.evaluations == 1000
        assert found.history[-1]["objective"] > drawn.history[-1]["objective"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"selection": "magic"}, "unknown selection 'magic': choose elitism, tournament, proportionate, youngest"),
        ({"crossover": 1.1}, r"crossover must be a probability from 0 to 1, not 1\.1"),
        ({"depth": -0.1}, "depth must be a probability"),
        ({"width": float("nan")}, "width must be a probability from 0 to 1, not nan"),
        ({"other": 2}, "other must be a probability"),
        ({"steps": -1}, "steps must be at least 0, not -1"),
        ({"keep": 0}, "keep must be at least 1, not 0"),
        ({"tournament": -1}, "tournament must be at least 1, not -1"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError), match=message):
        Evolution(problem()[0], **parameters)


def test_it_finds_the_optimum_that_a_grid_over_a_million_architectures_knows() -> None:
    within = Bounds.of(
        SPACE.genes, {"OC0": (8, 71), "KS0": (3, 3), "M": (1, 2), "R": (1, 4), "B": (1, 4), "WF": (1, 2)}
    )
    assert within.size > 1_000_000
    one = replace(problem()[0], within=within)
    best = search(one, Grid, 0, Budget(20_000, 1000)).history[-1]["objective"]
    for seed in range(3):
        found = search(one, Evolution, seed, Budget(iterations=1000, evaluations=5000))
        assert found.history[-1]["objective"] == best
