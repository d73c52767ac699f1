"""Choose the networks to measure next.

A batch has three parts. *Best*: the candidates with the best predictions. *Uncertain*: the candidates that are farthest
from all measured and chosen networks, where predictions are least certain (core-set selection: Sener and Savarese,
2018). They are chosen from the 10 % of candidates with the best predictions. *Mutants*: candidates close to the best
measured networks. They show which changes matter there. Members of a batch keep a distance from each other, because
near duplicates add little information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from ohmnas.datasets.campaign.plan import MUTATIONS
from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.search import Budget, Problem, known_networks, search
from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population, unseen
from ohmnas.spaces.variation import mutants

Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]
Part = Literal["plan", "best", "uncertain", "mutant", "reference", "repeat"]

APART: Final = 1.0
"""Preferred distance between members of a batch: the sum of the differences of genes, each divided by the gene's full
range."""
NEAR_FRONT: Final = 0.1
"""Share of candidates, ranked by prediction, that count as near the front. Their number is at least the size of the
batch."""
LEADERS: Final = 5
"""Number of best measured networks that are mutated."""
NEIGHBOURS: Final = 20
"""Number of candidates closest to a leader that count as its mutants."""
SAMPLES: Final = 500
"""Number of sampled candidates, and number of mutants of all leaders together."""
_ENOUGH: Final = 1e-6
"""The preferred distance is halved while too few candidates are chosen. Below this value, any distance is accepted."""


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of a batch; the rest are mutants of the best measured networks."""

    best: float = 0.5
    """Share of candidates with the best predictions."""
    uncertain: float = 0.25
    """Share of uncertain candidates near the front."""

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            InvalidValueError: a share is negative, or the sum of the shares exceeds 1.
        """
        if not (self.best >= 0 and self.uncertain >= 0 and self.best + self.uncertain <= 1):
            raise InvalidValueError(
                "the shares of a batch must be at least 0 and add up to at most 1, not "
                f"{self.best} and {self.uncertain}"
            )

    def counts(self, k: int) -> tuple[int, int, int]:
        """Return the numbers of best candidates, uncertain candidates and mutants in a batch of k."""
        best = round(self.best * k)
        uncertain = min(round(self.uncertain * k), k - best)
        return best, uncertain, k - best - uncertain


DEFAULT_SPLIT: Final = Split()


def candidates(
    problem: Problem, leaders: Population, measured: Population, seed: int, budget: Budget | None = None
) -> Population:
    """Return the networks from which a batch is chosen.

    Args:
        problem: search problem with the surrogate's predictions.
        leaders: ``(l, g)``: best measured networks, best first.
        measured: ``(n, g)``: measured networks, which are excluded.
        seed: random seed.
        budget: budget of the search; None is its default.

    Returns:
        ``(m, g)``: the best networks of a search, mutants of the leaders, and a sample; within the limits on costs,
        without duplicates.

    Raises:
        InfeasibleError: no network meets the limits on costs.
        KeyboardInterrupt: the search was interrupted.
    """
    rng = np.random.default_rng([seed, len(measured), 1])
    parts = [problem.sample(SAMPLES, rng)]
    if len(leaders):
        groups = problem.space.mutation_groups
        parts.insert(0, mutants(problem.mutate, groups, leaders[:LEADERS], SAMPLES, MUTATIONS, rng))
    try:
        initial = np.concatenate([known_networks(problem), leaders])
        result = search(problem, "evolution", seed, budget, initial=initial, exclude=measured)
        if result.stopped == "interrupted":  # a shortened search would choose other networks than an undisturbed one
            raise KeyboardInterrupt
        parts.insert(0, result.population)
    except InfeasibleError:  # no network is predicted to meet the limits: use only mutants and samples
        pass
    drawn = np.concatenate(parts)
    drawn = drawn[problem.affordable(drawn)]
    return unseen(drawn, measured)


def choose(
    problem: Problem,
    population: Population,
    evaluation: Evaluation,
    measured: Population,
    leaders: Population,
    k: int,
    split: Split = DEFAULT_SPLIT,
) -> list[tuple[int, Part]]:
    """Choose a batch.

    Args:
        problem: defines the range of each gene, the unit of distances.
        population: ``(m, g)``: candidates, none of them measured.
        evaluation: predictions of the candidates.
        measured: ``(n, g)``.
        leaders: ``(l, g)``: best measured networks, best first.
        k: size of the batch.
        split: shares of the parts of a batch.

    Returns:
        Row and part of each chosen candidate; fewer than k if there are fewer candidates. If a part has too few
        candidates, the best predictions fill its places.
    """
    here = scaled(problem, population)
    there = scaled(problem, measured)
    order = evaluation.order()
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    chosen: list[tuple[int, Part]] = []
    best, uncertain, mutants = split.counts(k)
    _take_diverse(chosen, here, order, best, "best")
    front = order[: max(int(np.ceil(NEAR_FRONT * len(order))), k)]
    _take_farthest(chosen, here, there, front, uncertain)
    near = _near(here, scaled(problem, leaders[:LEADERS]))
    _take_diverse(chosen, here, near[np.argsort(place[near], kind="stable")], mutants, "mutant")
    _take_diverse(chosen, here, order, k - len(chosen), "best")
    return chosen


def scaled(problem: Problem, population: Population) -> Values:
    """``(n, g)``: genes in units of their full range, for distances."""
    span = np.array([float(np.ptp(problem.choices(gene))) for gene in range(problem.genes)])
    values: Values = population / np.maximum(span, 1.0)
    return values


def _near(here: Values, leaders: Values) -> Rows:
    """Return the rows that are among the `NEIGHBOURS` rows closest to any leader."""
    if not len(leaders) or not len(here):
        return np.empty(0, dtype=np.intp)
    distance = cdist(leaders, here, "cityblock")
    most = min(NEIGHBOURS, len(here))
    return np.unique(np.argsort(distance, axis=1, kind="stable")[:, :most])


def _take_diverse(chosen: list[tuple[int, Part]], here: Values, order: Rows, count: int, part: Part) -> None:
    """Add `count` rows in the given order, skipping rows that are too close to a chosen row.

    If too few rows were added, halve the distance and start again from the first row.
    """
    apart, wanted = APART, min(len(chosen) + count, len(here))
    taken = {row for row, _ in chosen}
    while len(chosen) < wanted and len(taken & {*order.tolist()}) < len(order):
        for row in order.tolist():
            if len(chosen) == wanted:
                return
            rows = [other for other, _ in chosen]
            if row not in taken and (
                apart < _ENOUGH or not rows or np.abs(here[rows] - here[row]).sum(axis=1).min() >= apart
            ):
                chosen.append((row, part))
                taken.add(row)
        apart /= 2.0


def _take_farthest(chosen: list[tuple[int, Part]], here: Values, there: Values, among: Rows, count: int) -> None:
    """Add `count` rows one by one, each time the row farthest from all measured and chosen rows."""
    rows = [row for row, _ in chosen]
    known = np.concatenate([there, here[rows]])
    distance = cdist(here[among], known, "cityblock").min(axis=1) if len(known) else np.full(len(among), np.inf)
    for _ in range(min(count, len(among))):
        distance[np.isin(among, [row for row, _ in chosen])] = -1.0
        first = int(np.argmax(distance))
        if distance[first] < 0:
            return
        chosen.append((int(among[first]), "uncertain"))
        distance = np.minimum(distance, cdist(here[among], here[among[first : first + 1]], "cityblock")[:, 0])
