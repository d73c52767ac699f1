"""Mutations and neighbours of ResNet-like networks, for whole populations.

A mutation is a function ``(population, rng) -> offspring``. It changes each row once, or leaves it unchanged if the
mutation is impossible there. Mutations of a main block choose the block at random. Arguments are never modified.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import architecture as arch
from ohmnas.spaces.resnet import genes

Mutation = Callable[[Population, np.random.Generator], Population]
Mask = npt.NDArray[np.bool_]

CHANNEL_STEPS: Final = np.array([1, 2, 4, 8, 16, 32], dtype=np.int16)
"""Steps of OC0: small ones for fine-tuning, large ones to cross 8..128 in a few generations."""
NEW_BLOCK: Final = np.array([1, 1, 1, 1, 1], dtype=np.int16)
"""Block appended by `add_main_block`, before CT, WF and skip are drawn: R=1, B=1, CT=A, WF=1, skip=1."""


def _choose(allowed: Mask, rng: np.random.Generator) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Choose one allowed column in each row that has any; return rows and columns."""
    rows = np.flatnonzero(allowed.any(axis=1))
    keys = np.where(allowed[rows], rng.random((len(rows), allowed.shape[1])), -1.0)
    return rows, keys.argmax(axis=1)


def _step_block_gene(gene: int, step: int) -> Mutation:
    """Return a mutation that moves one block gene by one step within its range."""
    limit = int(genes.BLOCK_HIGH[gene] if step > 0 else genes.BLOCK_LOW[gene])

    def mutation(population: Population, rng: np.random.Generator) -> Population:
        offspring = population.copy()
        blocks = genes.block_view(offspring)
        rows, columns = _choose(genes.active_blocks(offspring) & (blocks[..., gene] != limit), rng)
        blocks[rows, columns, gene] += np.int16(step)
        return offspring

    return mutation


def add_main_block(population: Population, rng: np.random.Generator) -> Population:
    """Append a main block with R = 1, B = 1 and random CT, WF and skip."""
    offspring = population.copy()
    rows = np.flatnonzero(offspring[:, genes.M] < arch.MAIN_BLOCKS[1])
    new = np.tile(NEW_BLOCK, (len(rows), 1))
    for gene in (genes.CT, genes.WF, genes.SKIP):
        new[:, gene] = rng.integers(genes.BLOCK_LOW[gene], genes.BLOCK_HIGH[gene], endpoint=True, size=len(rows))
    genes.block_view(offspring)[rows, offspring[rows, genes.M]] = new
    offspring[rows, genes.M] += np.int16(1)
    return offspring


def remove_main_block(
    population: Population,
    rng: np.random.Generator,  # noqa: ARG001 - required by `Mutation`
) -> Population:
    """Remove the last main block."""
    offspring = population.copy()
    offspring[:, genes.M] = np.maximum(offspring[:, genes.M] - 1, arch.MAIN_BLOCKS[0])
    return genes.clear_inactive(offspring)


def change_conv_type(population: Population, rng: np.random.Generator) -> Population:
    """Switch one main block between basic and bottleneck."""
    offspring = population.copy()
    blocks = genes.block_view(offspring)
    rows, columns = _choose(genes.active_blocks(offspring), rng)
    blocks[rows, columns, genes.CT] = 3 - blocks[rows, columns, genes.CT]
    return offspring


def change_stem_channels(population: Population, rng: np.random.Generator) -> Population:
    """Move OC0 by one of `CHANNEL_STEPS`. A step beyond a bound stops at it, or is reversed if OC0 is already at it."""
    offspring = population.copy()
    low, high = arch.STEM_CHANNELS
    before = offspring[:, genes.OC0].copy()
    step = rng.choice(CHANNEL_STEPS, size=len(offspring)) * rng.choice(
        np.array([-1, 1], dtype=np.int16), size=len(offspring)
    )
    after = np.clip(before + step, low, high)
    offspring[:, genes.OC0] = np.where(after == before, np.clip(before - step, low, high), after)
    return offspring


def change_widening(population: Population, rng: np.random.Generator) -> Population:
    """Move WF of one main block up or down by 1."""
    offspring = population.copy()
    blocks = genes.block_view(offspring)
    rows, columns = _choose(genes.active_blocks(offspring), rng)
    now = blocks[rows, columns, genes.WF]
    step = rng.choice(np.array([-1, 1], dtype=np.int16), size=len(rows))
    step = np.where(now == arch.WIDENING[0], np.int16(1), np.where(now == arch.WIDENING[1], np.int16(-1), step))
    blocks[rows, columns, genes.WF] = now + step
    return offspring


def change_stem_kernel(population: Population, rng: np.random.Generator) -> Population:
    """Change the kernel size of the stem."""
    offspring = population.copy()
    kernels = np.array(arch.STEM_KERNELS, dtype=np.int16)
    now = np.searchsorted(kernels, offspring[:, genes.KS0])
    shift = rng.integers(1, len(kernels), size=len(offspring))
    offspring[:, genes.KS0] = kernels[(now + shift) % len(kernels)]
    return offspring


MUTATIONS: Final[dict[str, dict[str, Mutation]]] = {
    "depth": {
        "add_main_block": add_main_block,
        "remove_main_block": remove_main_block,
        "add_residual_block": _step_block_gene(genes.R, +1),
        "remove_residual_block": _step_block_gene(genes.R, -1),
        "change_conv_type": change_conv_type,
    },
    "width": {
        "add_branch": _step_block_gene(genes.B, +1),
        "remove_branch": _step_block_gene(genes.B, -1),
        "change_stem_channels": change_stem_channels,
        "change_widening": change_widening,
    },
    "other": {
        "add_skip": _step_block_gene(genes.SKIP, +1),
        "remove_skip": _step_block_gene(genes.SKIP, -1),
        "change_stem_kernel": change_stem_kernel,
    },
}
"""Group -> name -> mutation, as listed by AnalogNAS (Benmeziane et al., IEEE EDGE 2023)."""


def mutate(population: Population, rates: dict[str, float], rng: np.random.Generator) -> Population:
    """Apply one mutation of each group to each row, with the group's probability.

    Args:
        population: ``(n, g)``, canonical; not changed.
        rates: probability of each group of `MUTATIONS`; AnalogNAS uses 0.8 for depth and width, and 0.6 for other.
        rng: random generator.

    Returns:
        ``(n, g)``, canonical; a row may be equal to its parent.
    """
    offspring = population.copy()
    for group, mutations in MUTATIONS.items():
        choice = rng.integers(len(mutations), size=len(offspring))
        choice[rng.random(len(offspring)) >= rates[group]] = -1
        for index, mutation in enumerate(mutations.values()):
            rows = np.flatnonzero(choice == index)
            if len(rows):
                offspring[rows] = mutation(offspring[rows], rng)
    return offspring


def neighbours(genome: npt.NDArray[np.int16]) -> Population:
    """Genomes one step away: a block gene moved by 1, the stem changed, a main block added or removed.

    Args:
        genome: ``(g,)``, canonical.

    Returns:
        ``(k, g)``, canonical, without duplicates and without `genome`.
    """
    columns, steps, low, high = _steps(int(genome[genes.M]))
    moved = genome[columns] + steps
    inside = np.flatnonzero((moved >= low) & (moved <= high))
    near = genome[None].repeat(len(inside), axis=0)
    near[np.arange(len(inside)), columns[inside]] = moved[inside]
    parts = [near]
    if genome[genes.M] > arch.MAIN_BLOCKS[0]:
        fewer = genome[None, :].copy()
        fewer[:, genes.M] -= 1
        parts.append(genes.clear_inactive(fewer))
    if genome[genes.M] < arch.MAIN_BLOCKS[1]:
        more = genome[None].repeat(len(_NEW_BLOCKS), axis=0)
        genes.block_view(more)[:, genome[genes.M]] = _NEW_BLOCKS
        more[:, genes.M] += 1
        parts.append(more)
    return np.concatenate(parts)


_NEW_BLOCKS: Final = np.array(
    [[1, 1, ct, wf, skip] for ct in (1, 2) for wf in (1, 2) for skip in (0, 1)], dtype=np.int16
)
"""Genes of an added main block."""


@cache
def _steps(main_blocks: int) -> tuple[npt.NDArray[np.intp], Population, Population, Population]:
    """``(s,)`` each: gene of each step, size of the step, lowest and highest value of the gene."""
    steps = [(genes.KS0, -2), (genes.KS0, 2)]
    for gene in range(genes.FIRST_BLOCK_GENE, genes.FIRST_BLOCK_GENE + main_blocks * genes.GENES_PER_BLOCK):
        steps += [(gene, -1), (gene, 1)]
    steps += [(genes.OC0, sign * int(step)) for step in CHANNEL_STEPS for sign in (-1, 1)]
    columns = np.array([gene for gene, _ in steps])
    low, high = (np.array(ends, dtype=np.int16) for ends in (genes.TABLE.low, genes.TABLE.high))
    return columns, np.array([step for _, step in steps], dtype=np.int16), low[columns], high[columns]
