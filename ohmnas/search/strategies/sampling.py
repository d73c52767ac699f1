"""Strategies that learn nothing: random samples, one large sample to rank, and a grid that leaves nothing out."""

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
"""Architectures; at 100,000 a second that is ten minutes."""
_CHUNK: Final = 16_384
"""Architectures whose costs are looked at together."""


@dataclass(slots=True, eq=False)
class Random:
    """Each generation is a new sample, evenly spread over log parameters."""

    problem: Problem
    disposable: ClassVar[bool] = True

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """A sample."""
        return self.problem.sample(n, rng)

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Nothing is learned."""


@dataclass(slots=True, eq=False)
class Rank:
    """One sample of which the best is taken: what a surrogate alone finds (predictor-based search)."""

    problem: Problem
    _asked: bool = field(default=False, repr=False)
    disposable: ClassVar[bool] = True

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """A sample; then nothing."""
        return self.problem.sample(0 if self._asked else n, rng)

    def tell(self, population: Population, evaluation: Evaluation) -> None:  # noqa: ARG002 - a Strategy
        """That was all."""
        self._asked = True


@dataclass(slots=True, eq=False)
class Grid:
    """All architectures within the bounds on genes, each once.

    They come in the order of multiples of the golden section, so that a search which ends early has seen a bit of
    everything (Weyl, 1916).
    """

    problem: Problem
    _next: int = field(default=0, repr=False)
    _waiting: list[Population] = field(default_factory=list, repr=False)
    disposable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check that there is an end.

        Raises:
            InvalidValueError: the bounds leave too many architectures.
        """
        if self.problem.within.size > LARGEST_GRID:
            raise InvalidValueError(
                f"a grid of {self.problem.within.size:.1e} architectures has no end: bound the genes to at most "
                f"{LARGEST_GRID:,}, such as with --range M=1:2 --range R=1:3 --fix KS0=3"
            )

    def ask(self, n: int, rng: np.random.Generator) -> Population:  # noqa: ARG002 - a Strategy
        """The next n that meet the limits on costs; fewer where time is up."""
        size = self.problem.within.size
        step = round(size * (math.sqrt(5) - 1) / 2) or 1
        while math.gcd(step, size) > 1:
            step += 1
        while sum(map(len, self._waiting)) < n and self._next < size and not self.problem.clock.is_up():
            turns = np.arange(self._next, min(self._next + _CHUNK, size), dtype=np.int64)
            self._next += len(turns)
            some = self.problem.within.nth(turns * step % size)
            self._waiting.append(some[self.problem.affordable(some)])
        if not self._waiting:
            return self.problem.within.nth(np.empty(0, dtype=np.int64))
        waiting = np.concatenate(self._waiting)
        self._waiting = [waiting[n:]] if len(waiting) > n else []
        return waiting[:n]

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Nothing is learned."""
