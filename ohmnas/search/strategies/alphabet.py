"""Genomes as sequences of choices, for strategies that decide gene by gene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas.search.problem import Problem
from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population

Letters = npt.NDArray[np.intp]
"""``(n, g)``: the how-manieth choice of each gene; -1 where the gene does not exist."""

MOST: Final = 16
"""Choices of a gene; those with more values are binned."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """For each gene its bins of neighbouring values."""

    first: tuple[npt.NDArray[np.int16], ...]
    """``(c,)`` for each gene: the least value of each bin."""
    last: tuple[npt.NDArray[np.int16], ...]
    """``(c,)`` for each gene: the largest value of each bin."""
    step: tuple[int, ...]
    """Between values of a gene."""

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The choices that a problem leaves; wide ranges are binned evenly in their logarithm."""
        first, last, steps = [], [], []
        for gene in range(problem.genes):
            values = problem.choices(gene)
            edges = np.unique(np.geomspace(1, len(values) + 1, min(len(values), MOST) + 1).round().astype(np.intp)) - 1
            edges = np.arange(len(values) + 1) if len(values) <= MOST else edges
            first.append(values[edges[:-1]])
            last.append(values[edges[1:] - 1])
            steps.append(int(values[1] - values[0]) if len(values) > 1 else 1)
        return cls(tuple(first), tuple(last), tuple(steps))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Choices of each gene."""
        return tuple(map(len, self.first))

    def read(self, population: Population) -> Letters:
        """The choices that lead to ``(n, g)`` genomes."""
        letters = np.column_stack(
            [
                np.searchsorted(first, column, side="right") - 1
                for first, column in zip(self.first, population.T, strict=True)
            ]
        )
        exists = np.ones(population.shape, dtype=bool)
        exists[:, genes.FIRST_BLOCK_GENE : genes.GENES] = np.repeat(
            genes.active_blocks(population), genes.GENES_PER_BLOCK, axis=1
        )
        return np.where(exists, np.maximum(letters, 0), -1)

    def write(self, letters: Letters, rng: np.random.Generator) -> Population:
        """Genomes of choices: within a bin the value is drawn. Not canonical: genes of missing blocks have values."""
        columns = []
        for first, last, step, column in zip(self.first, self.last, self.step, letters.T, strict=True):
            chosen = np.maximum(column, 0)
            several = (last[chosen].astype(np.int64) - first[chosen]) // step + 1
            columns.append(first[chosen] + step * np.floor(rng.random(len(column)) * several).astype(np.int64))
        return np.column_stack(columns).astype(np.int16)


class Reward:
    """Objectives as numbers from 0 to 1: by where they stand in all that was told; what is not feasible has none."""

    def __init__(self) -> None:
        """Nothing was told."""
        self._sorted = np.empty(0)

    def __call__(self, objective: npt.NDArray[np.float64], feasible: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """``(n,)``: the square of the share of all feasible ones told so far that are not better."""
        self._sorted = np.sort(np.concatenate([self._sorted, objective[feasible]]))
        share = np.searchsorted(self._sorted, objective, side="right") / max(len(self._sorted), 1)
        return np.where(feasible, share**2, 0.0)
