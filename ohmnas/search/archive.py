"""`Archive`: the best evaluated architectures, a diverse selection of them, and the Pareto front."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.search import pareto
from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population

Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

ELITE: Final = 500
"""Number of feasible architectures kept, best first; without a front, `different` selects from them."""
FRONT: Final = 300
"""Largest size of a front; crowded members are dropped."""
APART: Final = 4.0
"""Preferred smallest distance between diverse architectures: a sum over genes, where a full range counts as 1."""


class Archive:
    """Keeps the best feasible architectures, the front and the nearest infeasible architecture; drops all others."""

    def __init__(self) -> None:
        """Create an empty archive."""
        self._elite: tuple[Population, Evaluation] | None = None
        self._front: tuple[Population, Evaluation] | None = None
        self.nearest: tuple[Population, Evaluation] | None = None
        """One row, or None: the infeasible architecture with the smallest violation of the limits on predictions."""
        self.changes_of_front = 0
        """Number of times the front changed."""
        self.hypervolume = 0.0
        """Largest hypervolume of the front so far, on the problem's scales."""

    def add(self, population: Population, evaluation: Evaluation) -> None:
        """Add a population and keep its best rows."""
        feasible = np.flatnonzero(evaluation.feasible)
        if len(feasible):
            self._add_elite(population, evaluation, feasible)
            if evaluation.losses.shape[1]:
                self._add_front(population[feasible], evaluation.take(feasible))
        if len(feasible) < len(population):
            first = np.argsort(np.where(evaluation.feasible, np.inf, evaluation.shortfall), kind="stable")[:1]
            if self.nearest is None or evaluation.shortfall[first][0] < self.nearest[1].shortfall[0]:
                self.nearest = population[first], evaluation.take(first)

    def _add_elite(self, population: Population, evaluation: Evaluation, feasible: Rows) -> None:
        if self._elite is not None:
            elite, standing = self._elite
            if len(elite) == ELITE:
                feasible = feasible[evaluation.objective[feasible] > standing.objective[-1]]
                if not len(feasible):
                    return
            population = np.concatenate([elite, population[feasible]])
            evaluation = standing.join(evaluation.take(feasible))
            feasible = np.arange(len(population))
        order = feasible[np.argsort(-evaluation.objective[feasible], kind="stable")[:ELITE]]
        self._elite = population[order], evaluation.take(order)

    def _add_front(self, population: Population, evaluation: Evaluation) -> None:
        if self._front is not None:
            population = np.concatenate([self._front[0], population])
            evaluation = self._front[1].join(evaluation)
        rows = pareto.front(evaluation.losses)
        grew = self._front is None or len(rows) != len(self._front[0]) or rows[-1] >= len(self._front[0])
        rows = rows[_kept(evaluation.take(rows))]
        self._front = population[rows], evaluation.take(rows)
        if grew:
            self.changes_of_front += 1
            self.hypervolume = max(self.hypervolume, pareto.hypervolume(self._front[1].losses))

    @property
    def best(self) -> tuple[Population, Evaluation] | None:
        """One row: the best feasible architecture; None if there is none yet."""
        return None if self._elite is None else (self._elite[0][:1], self._elite[1].take(np.arange(1)))

    @property
    def best_objective(self) -> float:
        """Objective of the best feasible architecture; NaN if there is none yet."""
        return float("nan") if self._elite is None else float(self._elite[1].objective[0])

    def elite(self, most: int) -> tuple[Population, Evaluation] | None:
        """Up to `most` feasible architectures, best first; None if there is none yet."""
        if self._elite is None:
            return None
        rows = _once(self._elite[0])[:most]
        return self._elite[0][rows], self._elite[1].take(rows)

    def front(self) -> tuple[Population, Evaluation] | None:
        """The front, sorted by its first loss; None if the problem has no front, or nothing feasible was found yet."""
        if self._front is None:
            return None
        order = np.argsort(self._front[1].losses[:, 0], kind="stable")
        return self._front[0][order], self._front[1].take(order)

    def different(self, k: int, spans: Values) -> tuple[Population, Evaluation] | None:
        """The best architecture, then up to k - 1 others, best first, each at least `APART` from all others.

        If there are too few, the distance is halved until there are enough. If the problem has a front, all are members
        of the front.

        Args:
            k: number of architectures.
            spans: ``(g,)``: full range of each gene, its unit of distance.
        """
        among = self._elite if self._front is None else self._front
        if among is None:
            return None
        once = _once(among[0])
        once = once[np.argsort(-among[1].objective[once], kind="stable")]
        population, evaluation = among[0][once], among[1].take(once)
        scaled = population / np.maximum(spans, 1.0)
        chosen, apart = [0], APART
        while len(chosen) < min(k, len(population)):
            distance = np.abs(scaled[:, None, :] - scaled[chosen][None, :, :]).sum(axis=2).min(axis=1)
            far = np.flatnonzero(distance >= apart)
            if len(far):
                chosen.append(int(far[0]))
            else:
                apart /= 2.0
        rows = np.sort(np.array(chosen, dtype=np.intp))
        return population[rows], evaluation.take(rows)


def _kept(front: Evaluation) -> Rows:
    """``(m,)``: up to `FRONT` well-spread rows of a front, including the row with the highest objective."""
    rows = pareto.thinned(front.losses, FRONT)
    best = int(np.argmax(front.objective))
    return rows if best in rows else np.union1d(pareto.thinned(front.losses, FRONT - 1), [best])


def _once(population: Population) -> Rows:
    """``(k,)``: first row of each architecture; restarts may find the same architecture."""
    return np.sort(np.unique(population, axis=0, return_index=True)[1])
