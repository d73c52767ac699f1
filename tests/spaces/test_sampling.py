"""Samplers: valid, within bounds, even, reproducible."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.errors import InfeasibleError
from ohmnas.spaces import sampling
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock

from .conftest import SPACE

VALUES: dict[str, tuple[int, ...]] = {
    "OC0": tuple(range(8, 129)),
    "KS0": (3, 5, 7),
    "M": (1, 2, 3, 4, 5),
    "R": tuple(range(1, 17)),
    "B": tuple(range(1, 13)),
    "CT": (1, 2),
    "WF": (1, 2, 3, 4),
    "skip": (0, 1),
}
"""Gene, less the number of its block -> all its values, written down independently of the gene table."""
SMALLEST = Architecture(8, 3, (MainBlock(1, 1, "B", 1, False),))

seeds = st.integers(0, 2**32 - 1)
Sampler = Callable[[ResNetSpace, int, np.random.Generator], Population]
SAMPLERS: list[Sampler] = [ResNetSpace.sample_uniform, ResNetSpace.sample_latin_hypercube, ResNetSpace.sample]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_are_valid_and_follow_from_the_seed(sampler: Sampler) -> None:
    for seed in range(3):
        population = sampler(SPACE, 40, np.random.default_rng(seed))
        assert population.shape == (40, genes.GENES)
        assert population.dtype == np.int16
        assert_array_equal(SPACE.check(population), population)
        assert_array_equal(sampler(SPACE, 40, np.random.default_rng(seed)), population)
        assert not np.array_equal(sampler(SPACE, 40, np.random.default_rng(seed + 10)), population)


@given(seeds)
@settings(max_examples=10)
def test_uniform_sample_has_every_value_of_every_gene_equally_often(seed: int) -> None:
    population = sampling.uniform(20_000, np.random.default_rng(seed), SPACE.everything)
    for column, name in enumerate(genes.GENE_NAMES):
        values = np.array(VALUES[name if name in VALUES else name[:-1]])
        block = (column - genes.FIRST_BLOCK_GENE) // genes.GENES_PER_BLOCK
        rows = population[population[:, genes.M] > block, column]
        counts = (rows[:, None] == values).sum(axis=0)
        expected = len(rows) / len(values)
        assert counts.sum() == len(rows)
        assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all(), name


@given(seeds)
@settings(max_examples=20)
def test_latin_hypercube_has_each_value_of_each_gene_exactly_as_often(seed: int) -> None:
    """240 is a multiple of the number of values of every gene but OC0, whose 121 values occur 1 to 3 times."""
    population = sampling.latin_hypercube(240, np.random.default_rng(seed), SPACE.everything)
    for column, name in ((genes.KS0, "KS0"), (genes.M, "M"), *((genes.FIRST_BLOCK_GENE + i, n) for i, n in _FIRST)):
        _, counts = np.unique(population[:, column], return_counts=True)
        assert_array_equal(counts, [240 // len(VALUES[name])] * len(VALUES[name]))
    _, counts = np.unique(population[:, genes.OC0], return_counts=True)
    assert len(counts) == 121
    assert counts.max() <= 3


_FIRST = list(enumerate(("R", "B", "CT", "WF", "skip")))
"""Genes of the first main block, which is in every network."""


def test_corners_of_the_unit_cube_are_the_smallest_and_largest_genomes() -> None:
    corners = np.array([[0.0] * genes.GENES, [np.nextafter(1.0, 0.0)] * genes.GENES])
    low, high = SPACE.everything.from_unit_cube(corners)
    largest = Architecture(128, 7, (MainBlock(16, 12, "B", 4, True),) * 5)
    assert SPACE.decode(np.stack([low, high])) == [Architecture(8, 3, (MainBlock(1, 1, "A", 1, False),)), largest]


@given(seeds, st.floats(3.0, 6.0), st.floats(0.5, 2.0), st.floats(5.0, 7.5))
@settings(max_examples=10)
def test_stratified_rows_differ_and_lie_within_all_bounds(
    seed: int, log_low: float, decades: float, log_macs: float
) -> None:
    low, high, most = 10**log_low, 10 ** (log_low + decades), 10**log_macs
    try:
        population = SPACE.sample(60, np.random.default_rng(seed), high, most, low, most / 1000, at_least=1)
    except InfeasibleError:
        assert most < 64 * low  # a layer's MACs are its parameters times its pixels, of which the image has 64
        return
    assert 1 <= len(population) <= 60
    assert_array_equal(SPACE.check(population), population)
    assert len(np.unique(population, axis=0)) == len(population)
    params, macs = SPACE.params(population), SPACE.macs(population)
    assert ((params >= low) & (params <= high)).all()
    assert ((macs >= most / 1000) & (macs <= most)).all()


def test_bounds_are_inclusive(rng: np.random.Generator) -> None:
    smallest = SPACE.encode([SMALLEST])
    params = float(SPACE.params(smallest)[0])
    population = SPACE.sample(1, rng, max_params=params, min_params=params)
    assert SPACE.params(population)[0] == params
    macs = float(SPACE.macs(smallest)[0])
    population = SPACE.sample(1, rng, max_macs=macs)
    assert SPACE.macs(population)[0] == macs


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bounds", [(1_000.0, 200_000.0), (20_000.0, 2_000_000.0)])
def test_stratified_is_even_over_log_params(seed: int, bounds: tuple[float, float]) -> None:
    low, high = bounds
    params = SPACE.params(SPACE.sample(240, np.random.default_rng(seed), max_params=high, min_params=low))
    counts, _ = np.histogram(np.log(params), bins=np.linspace(np.log(low), np.log(high) + 1e-9, 13))
    assert counts.sum() == 240
    assert counts.min() >= 10
    assert counts.max() <= 30


def test_uniform_genes_are_far_from_even_over_log_params(rng: np.random.Generator) -> None:
    """The reason why `stratified` exists."""
    assert np.mean(SPACE.params(SPACE.sample_uniform(500, rng)) > 1e6) > 0.9
    assert np.mean(SPACE.params(SPACE.sample(500, rng)) > 1e6) < 0.75


@pytest.mark.parametrize(
    "bounds",
    [
        {"max_params": 200.0},
        {"max_macs": 100.0},
        {"min_params": 1e15},
        {"min_params": 5_000.0, "max_params": 4_000.0},
        {"min_params": 1e6, "max_macs": 1e5},
    ],
)
def test_impossible_bounds_are_infeasible(bounds: dict[str, float], rng: np.random.Generator) -> None:
    limits = (bounds.get("max_params", np.inf), bounds.get("max_macs", np.inf), bounds.get("min_params", 0.0))
    with pytest.raises(InfeasibleError, match="found only 0 of 5 architectures"):
        SPACE.sample(5, rng, *limits)
    with pytest.raises(InfeasibleError, match="found only 0 of 5 architectures"):
        SPACE.sample(5, rng, *limits, at_least=1)


def test_message_states_the_smallest_of_the_space(rng: np.random.Generator) -> None:
    smallest = int(SPACE.params(SPACE.encode([SMALLEST]))[0])
    with pytest.raises(InfeasibleError, match=f"smallest architectures have about {smallest}"):
        SPACE.sample(1, rng, max_params=smallest - 1.0)


def test_fewer_rows_come_back_only_if_allowed(rng: np.random.Generator) -> None:
    with pytest.raises(InfeasibleError, match="of 1000 architectures"):
        SPACE.sample(1000, rng, max_params=400)
    population = SPACE.sample(1000, rng, max_params=400, at_least=2)
    assert 2 <= len(population) < 1000
    assert len(np.unique(population, axis=0)) == len(population)
    assert SPACE.params(population).max() <= 400


def test_whether_rare_architectures_are_found_does_not_depend_on_the_seed() -> None:
    for seed in range(4):
        assert len(SPACE.sample(50, np.random.default_rng(seed), max_params=600)) == 50


def test_nothing_wanted_is_nothing_found(rng: np.random.Generator) -> None:
    assert SPACE.sample(0, rng).shape == (0, genes.GENES)


WITHIN = Bounds.of(
    SPACE.genes, {"M": (2, 3), "R": (2, 4), "B": (1, 2), "B1": (3, 3), "KS0": (5, 7), "OC0": (10, 20), "CT": (1, 1)}
)


def test_corners_of_the_unit_cube_are_the_least_and_the_most_within_bounds() -> None:
    corners = np.array([[0.0] * genes.GENES, [np.nextafter(1.0, 0.0)] * genes.GENES])
    low, high = WITHIN.from_unit_cube(corners)
    assert low.tolist() == [10, 5, 2, 2, 3, 1, 1, 0, 2, 1, 1, 1, 0, *[0] * 15]
    assert high.tolist() == [20, 7, 3, 4, 3, 1, 4, 1, 4, 2, 1, 4, 1, 4, 2, 1, 4, 1, *[0] * 10]


def test_within_bounds_every_value_of_every_gene_occurs_equally_often(rng: np.random.Generator) -> None:
    population = WITHIN.from_unit_cube(rng.random((20_000, genes.GENES)))
    assert WITHIN.contain(population).all()
    for column in range(genes.GENES):
        block = (column - genes.FIRST_BLOCK_GENE) // genes.GENES_PER_BLOCK
        rows = population[population[:, genes.M] > block, column]
        counts = (rows[:, None] == WITHIN.choices(column)).sum(axis=0)
        assert counts.sum() == len(rows)
        expected = len(rows) / len(counts)
        assert (np.abs(counts - expected) <= 6 * np.sqrt(expected)).all(), genes.GENE_NAMES[column]


@given(seeds)
@settings(max_examples=10)
def test_stratified_samples_lie_within_bounds_on_genes_and_costs(seed: int) -> None:
    population = SPACE.sample(60, np.random.default_rng(seed), 40_000, 2e6, 5000, within=WITHIN)
    assert len(np.unique(population, axis=0)) == 60
    assert_array_equal(SPACE.check(population), population)
    assert WITHIN.contain(population).all()
    params, macs = SPACE.params_and_macs(population)
    assert ((params >= 5000) & (params <= 40_000) & (macs <= 2e6)).all()


def test_a_few_architectures_within_bounds_are_all_found(rng: np.random.Generator) -> None:
    names = dict.fromkeys(("M", "R", "B", "CT", "WF"), (1, 1))
    within = Bounds.of(SPACE.genes, {**names, "OC0": (8, 10), "KS0": (3, 5)})
    population = SPACE.sample(100, rng, at_least=1, within=within)
    assert len(population) == within.size == 3 * 2 * 2
    assert within.contain(population).all()


def test_bounds_on_genes_that_leave_nothing_within_those_on_costs_are_infeasible(rng: np.random.Generator) -> None:
    with pytest.raises(InfeasibleError, match="found only 0 of 5"):
        SPACE.sample(5, rng, max_params=1000, within=Bounds.of(SPACE.genes, {"OC0": (64, 128)}))
