"""Functions that select survivors and parents; they return rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.search import pareto
from ohmnas.search.evaluation import Evaluation

Rows = npt.NDArray[np.intp]


def best_first(evaluation: Evaluation, most: int) -> Rows:
    """Up to `most` rows, best first; only feasible rows if there are any.

    With a front, rows are sorted by rank, then by crowding distance (Deb et al., NSGA-II, 2002).
    """
    feasible = np.flatnonzero(evaluation.feasible)
    if not len(feasible):
        return np.argsort(evaluation.shortfall, kind="stable")[:most]
    if evaluation.losses.shape[1]:
        losses = evaluation.losses[feasible]
        rank = pareto.ranks(losses, most)
        apart = np.zeros(len(losses))
        for level in range(int(rank.max()) + 1):
            rows = np.flatnonzero(rank == level)
            apart[rows] = pareto.crowding(losses[rows])
        return feasible[np.lexsort((-apart, rank))[:most]]
    return feasible[np.argsort(-evaluation.objective[feasible], kind="stable")[:most]]


def evenly(standing: Evaluation, n: int, rng: np.random.Generator, size: int) -> Rows:  # noqa: ARG001 - a `Choice`
    """``(n,)``: uniform selection with replacement."""
    return rng.integers(len(standing), size=n)


def by_tournament(standing: Evaluation, n: int, rng: np.random.Generator, size: int) -> Rows:
    """``(n,)``: tournament selection, the best of `size` drawn rows; `standing` must be sorted best first."""
    drawn: Rows = rng.integers(len(standing), size=(n, size)).min(axis=1)
    return drawn


def by_fitness(standing: Evaluation, n: int, rng: np.random.Generator, size: int) -> Rows:  # noqa: ARG001 - a `Choice`
    """``(n,)``: roulette wheel selection.

    The weight of a row is its objective minus the worst objective, plus a tenth of the mean of these differences. If
    no row is feasible, all weights are equal, because objectives are then meaningless.
    """
    if not standing.feasible.any():
        return rng.integers(len(standing), size=n)
    above = standing.objective - standing.objective.min()
    weight = above + max(0.1 * float(above.mean()), 1e-12)
    return rng.choice(len(standing), size=n, p=weight / weight.sum())


Choice = Callable[[Evaluation, int, np.random.Generator, int], Rows]
CHOICES: Final[dict[str, Choice]] = {
    "elitism": evenly,
    "tournament": by_tournament,
    "proportionate": by_fitness,
    "youngest": by_tournament,
}
"""Name of a selection -> function that selects parents from survivors, which are sorted best first."""
