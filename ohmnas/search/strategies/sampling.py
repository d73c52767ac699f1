"""Strategies that do not learn: random samples, one large ranked sample, and an exhaustive grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population

LARGEST_GRID: Final = 50_000_000
"""Largest number of architectures in a grid; at 100,000 per second, they take about eight minutes."""
_CHUNK: Final = 16_384
"""Architectures per batch."""


@dataclass(slots=True, eq=False)
class Random:
    """Each generation is a new sample, spread evenly over the logarithm of the parameter count."""

    problem: Problem
    allows_oversampling: ClassVar[bool] = True

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample."""
        return self.problem.sample(n, rng)

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Ignore the evaluations."""


@dataclass(slots=True, eq=False)
class Rank:
    """One large sample, ranked by its predictions (predictor-based search)."""

    problem: Problem
    _asked: bool = field(default=False, repr=False)
    allows_oversampling: ClassVar[bool] = True

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample in the first generation, and nothing afterwards."""
        return self.problem.sample(0 if self._asked else n, rng)

    def tell(self, population: Population, evaluation: Evaluation) -> None:  # noqa: ARG002 - required by `Strategy`
        """End the first generation."""
        self._asked = True


@dataclass(slots=True, eq=False)
class Grid:
    """All architectures within the bounds on genes, each once.

    They are visited in steps of the golden ratio times the size (Weyl, 1916), so a search that ends early has still
    covered the whole range.
    """

    problem: Problem
    _next: int = field(default=0, repr=False)
    _waiting: list[Population] = field(default_factory=list, repr=False)
    allows_oversampling: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the size of the grid.

        Raises:
            InvalidValueError: the grid has too many architectures.
        """
        if self.problem.bounds.size > LARGEST_GRID:
            single = [gene for gene in self.problem.space.genes if not gene.block][:3]
            fixed = " ".join(f"--fix {gene.name}={gene.text(gene.values[0])}" for gene in single)
            raise InvalidValueError(
                f"a grid of {self.problem.bounds.size:.1e} architectures is too large: fix genes until at most "
                f"{LARGEST_GRID:,} remain, for example with {fixed}"
            )

    def ask(self, n: int, rng: np.random.Generator) -> Population:  # noqa: ARG002 - required by `Strategy`
        """Propose the next n architectures that meet the limits on costs; fewer after the deadline."""
        size = self.problem.bounds.size
        step = round(size * (math.sqrt(5) - 1) / 2) or 1
        while math.gcd(step, size) > 1:
            step += 1
        while sum(map(len, self._waiting)) < n and self._next < size and not self.problem.clock.is_up():
            turns = np.arange(self._next, min(self._next + _CHUNK, size), dtype=np.int64)
            self._next += len(turns)
            some = self.problem.bounds.nth(turns * step % size)
            some = some[(self.problem.space.canonical(some) == some).all(axis=1)]
            self._waiting.append(some[self.problem.affordable(some)])
        if not self._waiting:
            return self.problem.bounds.nth(np.empty(0, dtype=np.int64))
        waiting = np.concatenate(self._waiting)
        self._waiting = [waiting[n:]] if len(waiting) > n else []
        return waiting[:n]

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Ignore the evaluations."""
