from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.strategies import Grid, Random, Rank
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.search.conftest import SPACE, problem

SMALL = Bounds.of(
    SPACE.genes, {"M": (1, 2), "R": (1, 2), "B": (1, 3), "CT": (1, 2), "WF": (1, 2), "OC0": (8, 9), "KS0": (3, 5)}
)
"""4 * (48 + 48^2) = 9,408 architectures."""


def restricted(within: Bounds = SMALL, max_params: float = 8000) -> Problem:
    return replace(problem(max_params)[0], within=within)


def everything(within: Bounds) -> Population:
    """All architectures within, written down without the help of `Bounds`."""
    rows = []
    for depth in within.choices(2):
        length = 3 + 5 * int(depth)
        choices = [within.choices(gene) for gene in range(length)]
        choices[2] = np.array([depth], dtype=np.int16)
        mesh = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, length)
        rows.append(np.pad(mesh, ((0, 0), (0, len(GENE_NAMES) - length))))
    return np.concatenate(rows)


def test_every_generation_of_random_is_another_sample_even_over_log_params(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Random(one)
    first, second = strategy.ask(240, rng), strategy.ask(240, rng)
    assert not np.array_equal(first, second)
    for population in (first, second):
        counts, _ = np.histogram(np.log(SPACE.params(population)), bins=np.linspace(np.log(1000), np.log(50_000), 7))
        assert counts.min() >= 25


def test_rank_ends_after_one_generation_with_the_best_of_its_sample() -> None:
    one, formula = problem()
    result = search(one, Rank, 0, Budget(population=300, iterations=50))
    assert result.stopped == "nothing new"
    said = one.evaluate(np.concatenate(formula.asked[:-1]))
    assert said.feasible.sum() > 100
    assert result.history[0]["objective"] == said.objective[said.feasible].max()
    assert result.evaluations == result.history[0]["evaluations"]


def test_the_grid_has_every_affordable_architecture_within_the_bounds_exactly_once(rng: np.random.Generator) -> None:
    one = restricted()
    strategy = Grid(one)
    parts = []
    for n in (1, 7, 100, 3, 1000, 20_000, 50, 50):
        parts.append(strategy.ask(n, rng))
        assert len(parts[-1]) <= n
    assert [len(part) for part in parts[:5]] == [1, 7, 100, 3, 1000]
    assert len(parts[-1]) == 0
    found = np.concatenate(parts)
    expected = everything(SMALL)
    assert len(expected) == SMALL.size == 9408
    expected = expected[one.affordable(expected.astype(np.int16))]
    assert 1000 < len(expected) < 9408
    assert len(found) == len(expected)
    assert np.array_equal(np.unique(found, axis=0), np.unique(expected, axis=0))


@pytest.mark.parametrize("births", [100, 4000])
def test_a_search_of_the_grid_finds_the_true_optimum_and_ends(births: int) -> None:
    one = restricted()
    population = everything(SMALL).astype(np.int16)
    population = population[one.affordable(population)]
    said = one.evaluate(population)
    result = search(one, Grid, 0, Budget(births, 100_000))
    assert result.stopped == "nothing new"
    assert result.evaluations == len(population)
    assert result.history[-1]["objective"] == said.objective[said.feasible].max()


def test_initial_networks_do_not_displace_grid_points() -> None:
    one = restricted()
    affordable = int(one.affordable(everything(SMALL).astype(np.int16)).sum())
    given = one.sample(40, np.random.default_rng(0))
    result = search(one, Grid, 0, Budget(100, 100_000), initial=given)
    assert result.evaluations == affordable


def test_a_part_of_the_grid_has_seen_a_bit_of_everything(rng: np.random.Generator) -> None:
    one = restricted(max_params=1e9)
    some = Grid(one).ask(300, rng)
    for gene in range(3 + 2 * 5):
        values, counts = np.unique(some[some[:, gene] > 0, gene], return_counts=True)
        expected = [value for value in SMALL.choices(gene) if value > 0]
        assert values.tolist() == expected
        if gene != 2:  # of 49 in 50 architectures both main blocks exist
            assert counts.min() > 0.7 * counts.mean()


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_grids_of_a_few_architectures_are_complete(n: int, rng: np.random.Generator) -> None:
    few = {"M": (1, 1), "R": (1, 1), "B": (1, 1), "CT": (1, 1), "WF": (1, 1), "skip": (0, 0), "KS0": (3, 3)}
    one = replace(restricted(Bounds.of(SPACE.genes, {**few, "OC0": (8, 7 + n)})), limits=Limits())
    found = Grid(one).ask(100, rng)
    assert sorted(found[:, 0].tolist()) == list(range(8, 8 + n))


def test_a_grid_without_end_is_refused_with_what_would_bound_it() -> None:
    with pytest.raises(InvalidValueError, match=r"a grid of \d\.\de\+\d\d architectures is too large.*--fix KS0=3"):
        Grid(problem()[0])
    Grid(restricted(Bounds.of(SPACE.genes, {"M": (1, 2), "R": (1, 3), "KS0": (3, 3), "OC0": (8, 16)})))  # 3 million
