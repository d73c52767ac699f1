"""Genomes as sequences of choices, for strategies that decide gene by gene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Genes, Population

Letters = npt.NDArray[np.intp]
"""``(n, g)``: index of the choice for each gene; -1 if the gene does not exist."""

MOST: Final = 16
"""Largest number of choices per gene; genes with more values are binned."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Bins of neighbouring values for each gene."""

    first: tuple[npt.NDArray[np.int16], ...]
    """``(c,)`` for each gene: smallest value of each bin."""
    last: tuple[npt.NDArray[np.int16], ...]
    """``(c,)`` for each gene: largest value of each bin."""
    step: tuple[int, ...]
    """Step between values of a gene."""
    genes: Genes
    """Genes of the space."""

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Choices within a problem's bounds. Genes with more than `MOST` values get bins that grow geometrically."""
        first, last, steps = [], [], []
        for gene in range(problem.genes):
            values = problem.choices(gene)
            edges = np.unique(np.geomspace(1, len(values) + 1, min(len(values), MOST) + 1).round().astype(np.intp)) - 1
            edges = np.arange(len(values) + 1) if len(values) <= MOST else edges
            first.append(values[edges[:-1]])
            last.append(values[edges[1:] - 1])
            steps.append(int(values[1] - values[0]) if len(values) > 1 else 1)
        return cls(tuple(first), tuple(last), tuple(steps), problem.space.genes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of choices of each gene."""
        return tuple(map(len, self.first))

    def read(self, population: Population) -> Letters:
        """Return the choices that encode ``(n, g)`` genomes."""
        letters = np.column_stack(
            [
                np.searchsorted(first, column, side="right") - 1
                for first, column in zip(self.first, population.T, strict=True)
            ]
        )
        return np.where(self.genes.exists(population), np.maximum(letters, 0), -1)

    def write(self, letters: Letters, rng: np.random.Generator) -> Population:
        """Return genomes with values drawn uniformly from the chosen bins. Genes that do not exist get values too."""
        columns = []
        for first, last, step, column in zip(self.first, self.last, self.step, letters.T, strict=True):
            chosen = np.maximum(column, 0)
            several = (last[chosen].astype(np.int64) - first[chosen]) // step + 1
            columns.append(first[chosen] + step * np.floor(rng.random(len(column)) * several).astype(np.int64))
        return np.column_stack(columns).astype(np.int16)


class Reward:
    """Maps objectives to rewards from 0 to 1 by rank among all feasible evaluations; infeasible architectures get 0."""

    def __init__(self) -> None:
        """Start without any evaluations."""
        self._sorted = np.empty(0)

    def __call__(self, objective: npt.NDArray[np.float64], feasible: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """``(n,)``: squared share of the feasible architectures so far that are not better; 0 if infeasible.

        The feasible architectures in this call count too.
        """
        self._sorted = np.sort(np.concatenate([self._sorted, objective[feasible]]))
        share = np.searchsorted(self._sorted, objective, side="right") / max(len(self._sorted), 1)
        return np.where(feasible, share**2, 0.0)
