"""Mutation, crossover and neighbours for any space, derived from its genes. Arguments are never modified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Genes, Population

DEFAULT_RATE: Final = 0.8
"""Default mutation probability of a group, close to the probabilities in AnalogNAS."""


def mutate(genes: Genes, population: Population, rates: Mapping[str, float], rng: np.random.Generator) -> Population:
    """Change one gene of each group in each row, with the group's probability.

    An ordered gene moves one step up or down; a categorical gene takes any other value. The genes of an added block are
    random.

    Args:
        genes: genes of the space.
        population: ``(n, g)``; not changed.
        rates: probability of each group; `DEFAULT_RATE` for missing groups.
        rng: random generator.

    Returns:
        ``(n, g)``; a row may be equal to its parent.
    """
    offspring = population.copy()
    of_group = np.array([genes.groups.index(gene.group) for gene in genes])
    fixed = np.array([len(gene.values) == 1 for gene in genes])
    for number, group in enumerate(genes.groups):
        hit = np.flatnonzero(rng.random(len(offspring)) < rates.get(group, DEFAULT_RATE))
        before = genes.exists(offspring[hit])
        allowed = before & (of_group == number) & ~fixed
        rows, columns = _choose(allowed, rng)
        for column in np.unique(columns):
            here = hit[rows[columns == column]]
            offspring[here, column] = _other_value(genes, int(column), offspring[here, column], rng)
        offspring[hit] = _blocks_begun(genes, genes.clear_missing(offspring[hit]), before, rng)
    return offspring


def _choose(
    allowed: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Choose one allowed column in each row that has any; return rows and columns."""
    rows = np.flatnonzero(allowed.any(axis=1))
    keys = np.where(allowed[rows], rng.random((len(rows), allowed.shape[1])), -1.0)
    return rows, keys.argmax(axis=1)


def _other_value(
    genes: Genes, column: int, now: npt.NDArray[np.int16], rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Change ``(n,)`` values of a gene: one step up or down, or any other value of a categorical gene."""
    values = np.array(genes[column].values, dtype=np.int16)
    place, last = np.searchsorted(values, now), len(values) - 1
    if not genes[column].ordered:
        other: Population = values[(place + rng.integers(1, len(values), size=len(now))) % len(values)]
        return other
    step = np.where(rng.random(len(now)) < 0.5, -1, 1)
    step = np.where(place + step < 0, 1, np.where(place + step > last, -1, step))
    near: Population = values[place + step]
    return near


def _blocks_begun(
    genes: Genes, population: Population, before: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Population:
    """Give genes that did not exist `before` random values, in place, and return the population."""
    begun = genes.exists(population) & ~before
    for column in np.flatnonzero(begun.any(axis=0)):
        rows = np.flatnonzero(begun[:, column])
        population[rows, column] = rng.choice(np.array(genes[int(column)].values, dtype=np.int16), size=len(rows))
    return population


def crossover(genes: Genes, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:
    """Uniform crossover: each gene outside of blocks, and each whole block, comes from a random parent.

    The depth comes from one parent. A block that the chosen parent lacks comes from the other parent.

    Args:
        genes: genes of the space.
        mothers: ``(n, g)``.
        fathers: ``(n, g)``.
        rng: random generator.

    Returns:
        ``(n, g)``.
    """
    n = len(mothers)
    from_mother = rng.random(mothers.shape) < 0.5
    if genes.depth:
        of_block = rng.random((n, int(genes.blocks.max()))) < 0.5
        in_blocks = np.flatnonzero(genes.blocks > 0)
        mother_has, father_has = genes.exists(mothers)[:, in_blocks], genes.exists(fathers)[:, in_blocks]
        from_mother[:, in_blocks] = (of_block[:, genes.blocks[in_blocks] - 1] & mother_has) | ~father_has
    return genes.clear_missing(np.where(from_mother, mothers, fathers))


def neighbours(genes: Genes, genome: npt.NDArray[np.int16]) -> Population:
    """Genomes with one gene changed: one step for an ordered gene, any other value for a categorical one.

    Args:
        genes: genes of the space.
        genome: ``(g,)``.

    Returns:
        ``(k, g)``, without duplicates and without `genome`. An added block has the lowest value of each gene.
    """
    exists = genes.exists(genome[None])[0]
    near = []
    for column in np.flatnonzero(exists):
        values = genes[int(column)].values
        place = values.index(int(genome[column]))
        others = [place - 1, place + 1] if genes[int(column)].ordered else range(len(values))
        for other in others:
            if 0 <= other < len(values) and other != place:
                moved = genome.copy()
                moved[column] = values[other]
                near.append(moved)
    found = np.array(near, dtype=np.int16).reshape(-1, len(genes))
    begun = genes.exists(found) & ~exists
    return genes.clear_missing(np.where(begun, np.array(genes.low, dtype=np.int16), found))


def mutants(
    mutate: Callable[[Population, np.random.Generator, Mapping[str, float]], Population],
    groups: Sequence[str],
    parents: Population,
    n: int,
    most: int,
    rng: np.random.Generator,
) -> Population:
    """Draw networks 1 to `most` mutations away from a parent.

    Args:
        mutate: `Space.mutate` or `Problem.mutate`; the latter stays within the bounds of the problem.
        groups: `Space.mutation_groups`.
        parents: ``(m, g)``.
        n: number of draws.
        most: largest number of mutations; each mutates one random group.
        rng: random generator.

    Returns:
        ``(n, g)``; a row may be equal to a parent.
    """
    offspring = parents[rng.integers(len(parents), size=n)]
    steps = rng.integers(1, most, endpoint=True, size=n)
    for step in range(most):
        group = rng.integers(len(groups), size=n)
        for index, name in enumerate(groups):
            rows = np.flatnonzero((steps > step) & (group == index))
            offspring[rows] = mutate(offspring[rows], rng, dict.fromkeys(groups, 0.0) | {name: 1.0})
    return offspring
