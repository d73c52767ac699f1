"""Local search: repeatedly evaluate all neighbours of the best architecture (White et al., UAI 2021)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population


@dataclass(slots=True, eq=False)
class Local:
    """Evaluates all neighbours of the best architecture whose neighbours have not been evaluated yet.

    If no neighbour is better, it continues with the next best architecture.
    """

    problem: Problem
    _waiting: list[tuple[float, float, int, bytes]] = field(default_factory=list, repr=False)
    _left: list[Population] = field(default_factory=list, repr=False)
    """Neighbours that did not fit into the last call to `ask`; the next call returns them first."""
    _evaluated: int = field(default=0, repr=False)
    allows_oversampling: ClassVar[bool] = False

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample stratified by cost first, then up to n affordable neighbours of the best architectures."""
        if not self._evaluated:
            return self.problem.sample(n, rng)
        parts = [self.problem.sample(0, rng), *self._left]
        while self._waiting and sum(map(len, parts)) < n and not (len(parts) > 1 and self.problem.clock.is_up()):
            *_, genome = heapq.heappop(self._waiting)
            near = self.problem.neighbours(np.frombuffer(genome, dtype=np.int16))
            parts.append(near[self.problem.affordable(near)])
        near = np.concatenate(parts)
        self._left = [near[n:]] if len(near) > n else []
        return near[:n]

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Add the architectures to the queue, ordered by violation, then by objective."""
        rows = np.ascontiguousarray(population, dtype=np.int16)
        for short, objective, row in zip(evaluation.shortfall, -evaluation.objective, rows, strict=True):
            heapq.heappush(self._waiting, (float(short), float(objective), self._evaluated, row.tobytes()))
            self._evaluated += 1
