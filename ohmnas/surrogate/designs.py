"""How well a surrogate of networks and chips ranks designs: cross-validated over networks that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import metrics
from ohmnas.surrogate.heads import Values
from ohmnas.surrogate.learning import HEADS, LearningSet, folds, networks_of
from ohmnas.surrogate.score import COVERAGE, FEWEST_SCORED, FOLDS, Spread, covered, spread
from ohmnas.surrogate.surrogate import Surrogate

FEWEST_CHIPS_OF_ONE = 3
"""Of a network, whose order says something."""
FEWEST_NETWORKS = 10
"""On a chip, likewise."""


@dataclass(frozen=True, slots=True)
class DesignScore:
    """Quality of one head; each Kendall's tau, or None where nothing can be ordered."""

    designs: Spread | None
    """Over all held-out designs."""
    networks: Spread | None
    """Over held-out networks on the same chip, mean over chips that have `FEWEST_NETWORKS` of them or more."""
    chips: Spread | None
    """Over the chips of one held-out network, mean over networks that have three or more."""
    coverage: Spread | None
    """Share of the labels that lie in their 90 % interval."""


def score_designs(
    table: MeasuredTable,
    fidelity: str | None = None,
    seed: int = 0,
    rounds: int = 3,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[LearningSet, dict[str, DesignScore]]:
    """Score all heads by repeated 5-fold cross-validation over networks.

    Args:
        table: what to learn.
        fidelity: which fidelity; None as in `LearningSet.of_designs`.
        seed: of the folds.
        rounds: how often the folds are drawn anew.
        report: called with how many of the ``rounds * FOLDS`` fits are done.

    Returns:
        What was learned, and a score for each head.

    Raises:
        InvalidValueError: chips were hardly varied, or the choice is left open or empty.
    """
    data = LearningSet.of_designs(table, fidelity)
    different = len(np.unique(networks_of(data.population)))
    if different < FEWEST_SCORED:
        raise InvalidValueError(
            f"table {table.source} has {different} networks on varied chips; a score needs {FEWEST_SCORED}"
        )
    labels = dict(zip(HEADS, data.single().T, strict=True))
    width = len(table.space.gene_names)
    network, chip = (
        np.unique(part, axis=0, return_inverse=True)[1].reshape(-1)
        for part in (data.population[:, :width], data.population[:, width:])
    )
    found: dict[str, list[tuple[float, float, float, float]]] = {head: [] for head in HEADS}
    for round_ in range(rounds):
        for train, test in folds(data.population, FOLDS, seed + round_):
            surrogate = Surrogate.learn(data.take(train), seed=seed)
            unseen = data.population[test]
            predicted, scores = surrogate.forecast(unseen), surrogate.rank_scores(unseen)
            low, high = (surrogate.quantile(predicted, (1 + side * COVERAGE) / 2) for side in (-1, 1))
            for head in HEADS:
                truth = labels[head][test]
                guess = scores if head == HEADS[0] else getattr(predicted, head)
                inside = covered(head, truth, low, high, data.std_floor)
                found[head].append(
                    (
                        metrics.kendall_tau(truth, guess),
                        _within(chip[test], truth, guess, FEWEST_NETWORKS),
                        _within(network[test], truth, guess, FEWEST_CHIPS_OF_ONE),
                        float(inside.mean()),
                    )
                )
            report(len(found[HEADS[0]]))
    return data, {head: DesignScore(*(spread(column) for column in np.array(found[head]).T)) for head in HEADS}


def _within(group: npt.NDArray[np.intp], truth: Values, guess: Values, fewest: int) -> float:
    """Kendall's tau within each group of so many rows or more, mean over groups; NaN if there is none."""
    sizes = np.bincount(group)
    taus = [metrics.kendall_tau(truth[group == one], guess[group == one]) for one in np.flatnonzero(sizes >= fewest)]
    known = np.array(taus)[~np.isnan(taus)]
    return float(known.mean()) if len(known) else float("nan")
