"""Choose a part of a space before the search, as in the first stage of TinyNAS (Lin et al., NeurIPS 2020).

TinyNAS compares sub-spaces, such as all networks with one width and resolution, by sampling networks within the limits.
It chooses the sub-space whose networks have the most operations, because more operations usually mean higher accuracy
within one family of networks. With a surrogate, the predicted accuracies can be compared instead.

Here, a sub-space bounds the genes in `Space.subspace_genes`: each keeps all its values, or only the lower, middle or
upper half of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np

from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.problem import Problem
from ohmnas.search.subspace_names import CRITERIA
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.targets import ACCURACY

CANDIDATES: Final = 100
"""Default number of sub-spaces to compare."""
NETWORKS: Final = 20
"""Default for the largest number of networks per sub-space whose accuracy is predicted."""
_DRAWS: Final = 1024
"""Number of networks drawn from a sub-space, uniformly over its genes."""
_FEWEST: Final = 10
"""Smallest number of different networks within the limits that a sub-space needs."""
_HIGH: Final = 0.9
"""Quantile of the criterion `best`."""


@dataclass(frozen=True, slots=True)
class Subspace:
    """A part of the space, with statistics of its networks within the limits on costs."""

    bounds: Bounds
    share: float
    """Share of uniformly drawn networks that meet the limits on costs."""
    macs: float
    """Mean multiply-accumulates of these networks."""
    accuracy: float
    """Mean predicted accuracy after one day; NaN if it was not predicted."""
    best: float
    """90 % quantile of the predicted accuracy; NaN if it was not predicted."""

    def __str__(self) -> str:
        """Return the bounds that differ from the space's, such as ``RES 6 to 8, W 8 to 40``."""
        return ", ".join(self.bounds.narrowed()) or "the whole space"


def compare_subspaces(
    problem: Problem,
    rng: np.random.Generator,
    criterion: str = "accuracy",
    candidates: int = CANDIDATES,
    networks: int = NETWORKS,
) -> tuple[list[Subspace], int]:
    """Compare random sub-spaces of a problem.

    Args:
        problem: the problem; its bounds and its limits on costs hold in all sub-spaces.
        rng: random generator.
        criterion: one of `CRITERIA`.
        candidates: number of sub-spaces to draw, including the whole of the problem's bounds; repeats are dropped.
        networks: largest number of networks per sub-space whose accuracy is predicted.

    Returns:
        The sub-spaces in which enough networks meet the limits, best first; and the number of predictions.

    Raises:
        UnknownNameError: the criterion is unknown.
        InvalidValueError: `candidates` or `networks` is below 1.
        InfeasibleError: no sub-space has enough networks within the limits.
    """
    check_name("criterion of sub-spaces", CRITERIA, criterion)
    if min(candidates, networks) < 1:
        raise InvalidValueError(f"candidates and networks must be at least 1, not {candidates} and {networks}")
    drawn: list[tuple[Bounds, float, Population, float]] = []
    compared = _candidates(problem, rng, candidates)
    for bounds in compared:
        population = problem.space.canonical(bounds.from_unit_cube(rng.random((_DRAWS, problem.genes))))
        meets = problem.fits(population) & problem.bounds.contain(population)
        within = np.unique(population[meets], axis=0)
        if len(within) >= _FEWEST:
            macs = float(problem.space.macs(within).mean())
            some = within[rng.permutation(len(within))[:networks]]
            drawn.append((bounds, float(meets.mean()), some, macs))
    if not drawn:
        raise InfeasibleError(
            f"no sub-space (of {len(compared)} compared) has {_FEWEST} different networks (of {_DRAWS:,} drawn) within "
            "the cost limits: search the whole space"
        )
    accuracies = [np.full(len(some), np.nan) for _, _, some, _ in drawn]
    predictions = 0
    if criterion != "macs":
        together = np.concatenate([some for _, _, some, _ in drawn])
        predicted = problem.estimator.estimate(together)[ACCURACY.name]
        accuracies = np.split(predicted, np.cumsum([len(some) for _, _, some, _ in drawn])[:-1])
        predictions = len(together)
    found = [
        Subspace(bounds, share, macs, float(each.mean()), float(np.quantile(each, _HIGH)))
        for (bounds, share, _, macs), each in zip(drawn, accuracies, strict=True)
    ]
    return sorted(found, key=attrgetter(criterion), reverse=True), predictions


def _candidates(problem: Problem, rng: np.random.Generator, n: int) -> list[Bounds]:
    """Return the problem's own bounds and n - 1 random parts of them, without repeats."""
    whole = problem.bounds
    columns = [whole.genes.columns(name) for name in problem.space.subspace_genes]
    found = {whole: None}
    for _ in range(n - 1):
        low, high = list(whole.low), list(whole.high)
        for places in columns:
            part = int(rng.integers(4))
            for place in places:
                values = whole.choices(place).tolist()
                low[place], high[place] = _part(values, part)
        found.setdefault(Bounds(whole.genes, tuple(low), tuple(high)))
    return [*found]


def _part(values: list[int], part: int) -> tuple[int, int]:
    """Return the ends of all values (part 0) or of their lower, middle or upper half (1 to 3), rounded up if odd."""
    half = (len(values) + 1) // 2
    start = {0: 0, 1: 0, 2: (len(values) - half) // 2, 3: len(values) - half}[part]
    stop = len(values) if part == 0 else start + half
    return values[start], values[stop - 1]
