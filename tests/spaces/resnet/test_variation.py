"""Mutations change what they name and nothing else; children stay in the space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import MUTATION_RATES, genes
from ohmnas.spaces.resnet.variation import MUTATIONS, Mutation, mutate, neighbours
from tests.spaces.conftest import SPACE, populations

seeds = st.integers(0, 2**32 - 1)
families = populations().flatmap(
    lambda mothers: seeds.map(lambda seed: (mothers, mothers[np.random.default_rng(seed).permutation(len(mothers))]))
)
"""Mothers and as many fathers."""
Mask = npt.NDArray[np.bool_]


def any_active(gene: int, but: int) -> Callable[[Population], Mask]:
    """Rows in which some active block has another value of a gene than `but`."""
    return lambda p: (genes.active_blocks(p) & (genes.block_view(p)[..., gene] != but)).any(axis=1)


def always(population: Population) -> Mask:
    return np.ones(len(population), dtype=bool)


STEPS: dict[str, tuple[int, tuple[int, ...], Callable[[Population], Mask]]] = {
    "add_residual_block": (genes.R, (1,), any_active(genes.R, 16)),
    "remove_residual_block": (genes.R, (-1,), any_active(genes.R, 1)),
    "add_branch": (genes.B, (1,), any_active(genes.B, 12)),
    "remove_branch": (genes.B, (-1,), any_active(genes.B, 1)),
    "add_skip": (genes.SKIP, (1,), any_active(genes.SKIP, 1)),
    "remove_skip": (genes.SKIP, (-1,), any_active(genes.SKIP, 0)),
    "change_conv_type": (genes.CT, (-1, 1), always),
    "change_widening": (genes.WF, (-1, 1), always),
}
"""Mutations of one gene in one block: the gene, the steps it may take, the rows that can take one."""
STEMS = {"change_stem_channels": genes.OC0, "change_stem_kernel": genes.KS0}
"""Mutations of one gene of the stem, which every row can take."""
BLOCKS = {"add_main_block": 1, "remove_main_block": -1}
"""Mutations of the number of main blocks."""

BY_NAME: dict[str, Mutation] = {name: m for group in MUTATIONS.values() for name, m in group.items()}


def mutated(name: str, population: Population, seed: int) -> Population:
    """The offspring, after checks that hold for every mutation."""
    population.setflags(write=False)
    offspring = BY_NAME[name](population, np.random.default_rng(seed))
    assert offspring.dtype == np.int16
    assert not np.shares_memory(offspring, population)
    assert_array_equal(SPACE.check(offspring), offspring)
    assert_array_equal(BY_NAME[name](population, np.random.default_rng(seed)), offspring)
    return offspring


def test_every_mutation_is_described_here() -> None:
    assert set(BY_NAME) == {*STEPS, *STEMS, *BLOCKS}
    assert set(MUTATIONS) == set(MUTATION_RATES) == {"depth", "width", "other"}
    assert len(BY_NAME) == sum(map(len, MUTATIONS.values()))


@pytest.mark.parametrize("name", STEPS)
@given(population=populations(), seed=seeds)
@settings(max_examples=25)
def test_mutation_of_a_block_gene_steps_it_in_one_active_block(name: str, population: Population, seed: int) -> None:
    gene, steps, applicable = STEPS[name]
    difference = mutated(name, population, seed).astype(int) - population
    assert (difference[:, : genes.FIRST_BLOCK_GENE] == 0).all()
    blocks = difference[:, genes.FIRST_BLOCK_GENE :].reshape(-1, genes.BLOCKS, genes.GENES_PER_BLOCK)
    assert (np.delete(blocks, gene, axis=2) == 0).all()
    changed = blocks[..., gene] != 0
    assert (changed <= genes.active_blocks(population)).all()
    assert_array_equal(changed.sum(axis=1), applicable(population))
    assert np.isin(blocks[..., gene][changed], steps).all()


@pytest.mark.parametrize("name", STEMS)
@given(population=populations(), seed=seeds)
@settings(max_examples=25)
def test_mutation_of_the_stem_changes_its_one_gene_in_every_row(name: str, population: Population, seed: int) -> None:
    changed = mutated(name, population, seed) != population
    assert changed[:, STEMS[name]].all()
    assert not np.delete(changed, STEMS[name], axis=1).any()


@given(populations(), seeds)
@settings(max_examples=50)
def test_stem_channels_move_by_a_documented_step_unless_a_bound_stops_them(population: Population, seed: int) -> None:
    near_bounds = np.array([8, 9, 10, 39, 97, 126, 127, 128], dtype=np.int16)
    population[:, genes.OC0] = np.random.default_rng(seed).choice(near_bounds, size=len(population))
    after = mutated("change_stem_channels", population, seed)[:, genes.OC0]
    step = np.abs(after.astype(int) - population[:, genes.OC0])
    assert (np.isin(step, [1, 2, 4, 8, 16, 32]) | np.isin(after, [8, 128])).all()
    assert step.max() <= 32


@given(populations(), seeds)
@settings(max_examples=50)
def test_adding_a_main_block_appends_one_and_touches_no_other(population: Population, seed: int) -> None:
    offspring = mutated("add_main_block", population, seed)
    full = population[:, genes.M] == 5
    assert_array_equal(offspring[full], population[full])
    assert_array_equal(offspring[:, genes.M], population[:, genes.M] + ~full)
    assert_array_equal(offspring[:, : genes.M], population[:, : genes.M])
    before, after = genes.block_view(population), genes.block_view(offspring)
    old = genes.active_blocks(population)
    assert_array_equal(after[old], before[old])
    added = genes.active_blocks(offspring) & ~old
    assert_array_equal(added.sum(axis=1), ~full)
    assert (after[added][:, [genes.R, genes.B]] == 1).all()


@given(populations(), seeds)
@settings(max_examples=50)
def test_removing_a_main_block_clears_the_last_and_touches_no_other(population: Population, seed: int) -> None:
    offspring = mutated("remove_main_block", population, seed)
    single = population[:, genes.M] == 1
    assert_array_equal(offspring[single], population[single])
    assert_array_equal(offspring[:, genes.M], population[:, genes.M] - ~single)
    assert_array_equal(offspring[:, : genes.M], population[:, : genes.M])
    left = genes.active_blocks(offspring)
    assert_array_equal(genes.block_view(offspring)[left], genes.block_view(population)[left])
    assert (genes.block_view(offspring)[~left] == 0).all()


@given(populations(), seeds)
@settings(max_examples=25)
def test_removing_undoes_adding(population: Population, seed: int) -> None:
    small = population[population[:, genes.M] < 5]
    rng = np.random.default_rng(seed)
    assert_array_equal(BY_NAME["remove_main_block"](BY_NAME["add_main_block"](small, rng), rng), small)


def test_added_main_blocks_are_of_every_kind(rng: np.random.Generator) -> None:
    population = np.tile(SPACE.sample_uniform(1, rng), (2000, 1))
    population[:, genes.M] = 1
    offspring = BY_NAME["add_main_block"](genes.clear_inactive(population), rng)
    assert len(np.unique(genes.block_view(offspring)[:, 1], axis=0)) == 2 * 4 * 2


@pytest.mark.parametrize("name", [name for name in STEPS if name != "change_conv_type"] + ["change_stem_channels"])
def test_mutation_reaches_every_block_and_both_directions(name: str, rng: np.random.Generator) -> None:
    population = np.tile(np.array([64, 5, 5, *(5, 5, 1, 2, 0) * 5], dtype=np.int16), (500, 1))
    genes.block_view(population)[..., genes.SKIP] = int(name == "remove_skip")
    difference = BY_NAME[name](population, rng).astype(int) - population
    rows, columns = np.nonzero(difference)
    if name in STEPS:
        gene, steps, _ = STEPS[name]
        assert set(columns) == {genes.FIRST_BLOCK_GENE + 5 * block + gene for block in range(genes.BLOCKS)}
        assert set(difference[rows, columns]) == set(steps)
    else:
        assert set(difference[rows, columns]) == {sign * step for sign in (-1, 1) for step in (1, 2, 4, 8, 16, 32)}


@given(populations(), seeds)
@settings(max_examples=25)
def test_mutate_stays_in_the_space_and_never_writes_to_the_parents(population: Population, seed: int) -> None:
    population.setflags(write=False)
    offspring = SPACE.mutate(population, np.random.default_rng(seed))
    assert_array_equal(SPACE.check(offspring), offspring)
    assert_array_equal(SPACE.mutate(population, np.random.default_rng(seed)), offspring)


@given(populations(), seeds)
@settings(max_examples=25)
def test_groups_with_rate_zero_do_not_act(population: Population, seed: int) -> None:
    rng = np.random.default_rng(seed)
    none = dict.fromkeys(MUTATIONS, 0.0)
    assert_array_equal(mutate(population, none, rng), population)
    depth = mutate(population, {**none, "depth": 1.0}, rng)
    assert_array_equal(depth[:, : genes.M], population[:, : genes.M])
    width = mutate(population, {**none, "width": 1.0}, rng)
    kept = genes.block_view(width)[..., [genes.R, genes.CT, genes.SKIP]]
    assert_array_equal(kept, genes.block_view(population)[..., [genes.R, genes.CT, genes.SKIP]])
    assert_array_equal(width[:, [genes.KS0, genes.M]], population[:, [genes.KS0, genes.M]])
    other = mutate(population, {**none, "other": 1.0}, rng)
    assert_array_equal(
        np.delete(genes.block_view(other), genes.SKIP, 2), np.delete(genes.block_view(population), genes.SKIP, 2)
    )
    assert_array_equal(other[:, [genes.OC0, genes.M]], population[:, [genes.OC0, genes.M]])


@pytest.mark.parametrize("group", MUTATIONS)
def test_rate_is_the_share_of_rows_that_the_group_changes(group: str, rng: np.random.Generator) -> None:
    """In genomes in the middle of all ranges every mutation but one of skip changes its row."""
    population = np.tile(
        np.array([64, 5, 3, *(5, 5, 1, 2, 0, 5, 5, 2, 3, 1, 5, 5, 1, 2, 0), *[0] * 10], dtype=np.int16), (4000, 1)
    )
    assert_array_equal(SPACE.check(population), population)
    for rate in (0.3, 1.0):
        offspring = mutate(population, {**dict.fromkeys(MUTATIONS, 0.0), group: rate}, rng)
        assert (offspring != population).any(axis=1).mean() == pytest.approx(rate, abs=0.04)


@given(families, seeds)
@settings(max_examples=50)
def test_children_are_valid_and_each_gene_is_a_parents(family: tuple[Population, Population], seed: int) -> None:
    mothers, fathers = family
    mothers.setflags(write=False)
    fathers.setflags(write=False)
    children = SPACE.cross(mothers, fathers, np.random.default_rng(seed))
    assert children.dtype == np.int16
    assert_array_equal(SPACE.check(children), children)
    stem = slice(0, genes.FIRST_BLOCK_GENE)
    assert ((children == mothers) | (children == fathers))[:, stem].all()
    child, mother, father = (genes.block_view(p) for p in (children, mothers, fathers))
    whole = (child == mother).all(axis=2) | (child == father).all(axis=2)
    assert whole[genes.active_blocks(children)].all()
    assert_array_equal(SPACE.cross(mothers, fathers, np.random.default_rng(seed)), children)


@given(populations(), seeds)
@settings(max_examples=25)
def test_child_of_equal_parents_is_equal_to_them(population: Population, seed: int) -> None:
    assert_array_equal(SPACE.cross(population, population, np.random.default_rng(seed)), population)


def test_children_take_from_both_parents_everywhere(rng: np.random.Generator) -> None:
    mothers = np.tile(np.array([8, 3, 5, *(1, 1, 1, 1, 0) * 5], dtype=np.int16), (200, 1))
    fathers = np.tile(np.array([128, 7, 4, *(16, 12, 2, 4, 1) * 4, *[0] * 5], dtype=np.int16), (200, 1))
    children = SPACE.cross(mothers, fathers, rng)
    four_blocks = children[:, : genes.FIRST_BLOCK_GENE + 4 * genes.GENES_PER_BLOCK]
    share = (four_blocks == mothers[:, : four_blocks.shape[1]]).mean(axis=0)
    assert ((share > 0.3) & (share < 0.7)).all()


@given(populations(1))
@settings(max_examples=60)
def test_neighbours_are_canonical_all_different_and_others_than_the_genome(population: Population) -> None:
    population.setflags(write=False)
    near = neighbours(population[0])
    assert near.dtype == np.int16
    assert_array_equal(SPACE.check(near), near)
    assert len(np.unique(near, axis=0)) == len(near)
    assert (near != population[0]).any(axis=1).all()
    assert_array_equal(SPACE.neighbours(population[0]), near)


def one_step(genome: list[int]) -> set[tuple[int, ...]]:
    """All neighbours, one after the other, from the ranges alone."""
    found = []
    for step in (1, 2, 4, 8, 16, 32):
        found += [[genome[0] - step, *genome[1:]], [genome[0] + step, *genome[1:]]]
    found += [[genome[0], kernel, *genome[2:]] for kernel in (genome[1] - 2, genome[1] + 2)]
    depth = genome[2]
    for column in range(3, 3 + 5 * depth):
        for step in (-1, 1):
            found.append([*genome[:column], genome[column] + step, *genome[column + 1 :]])
    end = 3 + 5 * depth
    if depth > 1:
        found.append([*genome[:2], depth - 1, *genome[3 : end - 5], *[0] * (33 - end)])
    if depth < 5:
        for kind in ((1, 1, ct, wf, skip) for ct in (1, 2) for wf in (1, 2) for skip in (0, 1)):
            found.append([*genome[:2], depth + 1, *genome[3:end], *kind, *[0] * (23 - end)])
    matrix = np.array(found)
    return {tuple(row) for row, repaired in zip(found, SPACE.repair(matrix), strict=True) if row == repaired.tolist()}


@given(populations(1))
@settings(max_examples=60)
def test_neighbours_are_all_that_one_step_leads_to(population: Population) -> None:
    assert {tuple(row.tolist()) for row in neighbours(population[0])} == one_step(population[0].tolist())


def test_the_smallest_and_the_largest_have_so_many_neighbours() -> None:
    smallest = np.array([8, 3, 1, 1, 1, 1, 1, 0, *[0] * 20], dtype=np.int16)
    assert len(neighbours(smallest)) == 6 + 1 + 5 + 8  # channels, kernel, each block gene up, kinds of a second block
    largest = np.array([128, 7, 5, *(16, 12, 2, 4, 1) * 5], dtype=np.int16)
    assert len(neighbours(largest)) == 6 + 1 + 25 + 1  # the same downwards, and a block less
    middle = np.array([64, 5, 2, *(5, 5, 1, 2, 0) * 2, *[0] * 15], dtype=np.int16)
    assert len(neighbours(middle)) == 12 + 2 + 2 * (2 + 2 + 1 + 2 + 1) + 8 + 1


@given(populations(1))
@settings(max_examples=30)
def test_a_step_can_be_taken_back(population: Population) -> None:
    """But that which removes a block: it may have been of a kind that no step adds."""
    genome = population[0]
    for other in neighbours(genome):
        back = (neighbours(other) == genome).all(axis=1).any()
        assert back or other[genes.M] < genome[genes.M]


@given(populations(1), seeds)
@settings(max_examples=30)
def test_mutations_of_one_block_gene_lead_to_neighbours(population: Population, seed: int) -> None:
    near = neighbours(population[0])
    for name in (*STEPS, "change_stem_channels", "remove_main_block"):
        child = BY_NAME[name](population, np.random.default_rng(seed))[0]
        clipped = name == "change_stem_channels" and child[genes.OC0] in {8, 128}
        assert clipped or (child == population[0]).all() or (near == child).all(axis=1).any(), name
