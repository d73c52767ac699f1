"""Regularised evolution (Real et al., AAAI 2019): the oldest architecture is removed, however good it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.selection import best_first
from ohmnas.spaces.genes import Population

LARGEST: Final = 10_000
"""Largest value of each parameter."""


@dataclass(slots=True, eq=False)
class Aging:
    """A queue of architectures. Each child is a mutant of the best of a random sample and replaces the oldest.

    All children of a generation have parents from the same queue, as with parallel workers.
    """

    problem: Problem
    alive: int = 300
    """Length of the queue."""
    sample: int = 25
    """Sample size for each child; the best of the sample is its parent."""
    _queue: Population | None = field(default=None, repr=False)
    _standing: Evaluation | None = field(default=None, repr=False)
    allows_oversampling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            InvalidValueError: a parameter is below 1 or too large.
        """
        for name in ("alive", "sample"):
            if not 1 <= getattr(self, name) <= LARGEST:
                raise InvalidValueError(f"{name} must be from 1 to {LARGEST:,}, not {getattr(self, name)}")

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample stratified by cost in the first generation, and mutants afterwards."""
        if self._queue is None or self._standing is None:
            return self.problem.sample(n, rng)
        place = np.empty(len(self._queue), dtype=np.intp)
        order = best_first(self._standing, len(self._queue))
        place[:] = len(order)
        place[order] = np.arange(len(order))
        drawn = rng.integers(len(self._queue), size=(n, self.sample))
        winners = drawn[np.arange(n), place[drawn].argmin(axis=1)]
        return self.problem.mutate(self._queue[winners], rng, {})

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Append the offspring to the queue and drop the oldest."""
        if self._queue is not None and self._standing is not None:
            population = np.concatenate([self._queue, population])
            evaluation = self._standing.join(evaluation)
        young = np.arange(max(len(population) - self.alive, 0), len(population))
        self._queue, self._standing = population[young], evaluation.take(young)
