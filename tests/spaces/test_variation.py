"""Mutation, crossover and neighbours from the genes alone: for any genes, and for those of the spaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells.genes import TABLE as CELLS
from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.resnet.genes import TABLE as RESNET
from ohmnas.spaces.variation import DEFAULT_RATE, crossover, mutate, neighbours

from .test_genes import made_genes

seeds = st.integers(0, 2**32 - 1)


def some(genes: Genes, seed: int, n: int = 12) -> Population:
    """Any genomes; not to be written to."""
    population = Bounds.everything(genes).from_unit_cube(np.random.default_rng(seed).random((n, len(genes))))
    population.setflags(write=False)
    return population


def is_valid(genes: Genes, population: Population) -> bool:
    return population.dtype == np.int16 and np.array_equal(genes.repair(population), population)


@given(made_genes(), seeds)
def test_mutants_are_valid_and_follow_from_the_seed(genes: Genes, seed: int) -> None:
    population = some(genes, seed)
    mutants = mutate(genes, population, {}, np.random.default_rng(seed))
    assert is_valid(genes, mutants)
    assert_array_equal(mutate(genes, population, {}, np.random.default_rng(seed)), mutants)


@given(made_genes(), seeds)
def test_a_mutation_of_one_group_is_one_step_of_one_gene(genes: Genes, seed: int) -> None:
    """All genes here are of one group; a step of the depth begins or ends blocks besides."""
    population = some(genes, seed)
    mutants = mutate(genes, population, {"other": 1.0}, np.random.default_rng(seed))
    for parent, mutant in zip(population, mutants, strict=True):
        both = genes.exists(parent[None])[0] & genes.exists(mutant[None])[0]
        changed = np.flatnonzero((parent != mutant) & both)
        movable = [len(gene.values) > 1 for gene in genes]
        assert len(changed) == (1 if any(np.array(movable) & genes.exists(parent[None])[0]) else 0)
        for column in changed.tolist():
            values = genes[column].values
            assert abs(values.index(int(parent[column])) - values.index(int(mutant[column]))) == 1


def test_a_choice_becomes_any_other(rng: np.random.Generator) -> None:
    parents = np.full((4000, 6), 2, dtype=np.int16)
    mutants = mutate(CELLS, parents, {"operation": 1.0}, rng)
    changed = mutants != parents
    assert (changed.sum(axis=1) == 1).all()
    assert (np.abs(changed.mean(axis=0) - 1 / 6) < 0.04).all()
    counts = np.bincount(mutants[changed], minlength=5)
    assert counts[2] == 0
    assert (np.abs(counts[[0, 1, 3, 4]] - 1000) < 150).all()


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0, None])
def test_a_rate_is_the_share_of_the_rows_that_change(rate: float | None, rng: np.random.Generator) -> None:
    parents = some(CELLS, 0, 4000)
    changed = (mutate(CELLS, parents, {} if rate is None else {"operation": rate}, rng) != parents).any(axis=1)
    assert changed.mean() == pytest.approx(DEFAULT_RATE if rate is None else rate, abs=0.04)


def test_groups_mutate_their_own_genes_alone(rng: np.random.Generator) -> None:
    parents = some(RESNET, 0, 300)
    for group in RESNET.groups:
        only = {**dict.fromkeys(RESNET.groups, 0.0), group: 1.0}
        mutants = mutate(RESNET, parents, only, rng)
        both = RESNET.exists(parents) & RESNET.exists(mutants)
        moved = {RESNET[int(column)].group for column in np.nonzero((parents != mutants) & both)[1]}
        assert moved == {group}


@given(made_genes(), seeds)
def test_children_have_each_gene_from_a_parent_that_has_it(genes: Genes, seed: int) -> None:
    mothers, fathers = some(genes, seed), some(genes, seed + 1)
    children = crossover(genes, mothers, fathers, np.random.default_rng(seed))
    assert is_valid(genes, children)
    assert ((children == mothers) | (children == fathers))[genes.exists(children)].all()
    assert_array_equal(crossover(genes, mothers, mothers, np.random.default_rng(seed)), mothers)
    assert_array_equal(crossover(genes, mothers, fathers, np.random.default_rng(seed)), children)


@given(made_genes(), seeds)
@settings(max_examples=60)
def test_neighbours_are_all_that_one_step_leads_to(genes: Genes, seed: int) -> None:
    genome = some(genes, seed, 1)[0]
    expected = set()
    exists = genes.exists(genome[None])[0]
    for column in np.flatnonzero(exists).tolist():
        values = genes[column].values
        place = values.index(int(genome[column]))
        for other in (place - 1, place + 1):
            if 0 <= other < len(values):
                moved = genome.copy()
                moved[column] = values[other]
                begun = genes.exists(moved[None])[0] & ~exists
                moved[begun] = np.array(genes.low)[begun]
                moved[~genes.exists(moved[None])[0]] = 0
                expected.add(tuple(moved.tolist()))
    found = neighbours(genes, genome)
    assert is_valid(genes, found)
    assert {tuple(row) for row in found.tolist()} == expected
    assert len(found) == len(expected)


def test_every_other_choice_is_a_neighbour() -> None:
    assert len(neighbours(CELLS, np.zeros(6, dtype=np.int16))) == 6 * 4


def test_a_genome_without_choice_has_no_neighbours() -> None:
    from ohmnas.spaces.genes import Gene

    one = Genes((Gene("A", (3,)),))
    assert neighbours(one, np.array([3], dtype=np.int16)).shape == (0, 1)
    assert_array_equal(
        mutate(one, np.full((5, 1), 3, dtype=np.int16), {}, np.random.default_rng(0)), np.full((5, 1), 3)
    )
