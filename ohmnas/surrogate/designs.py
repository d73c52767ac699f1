"""How well a surrogate of networks and chips ranks designs: cross-validated over networks that it never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.table import MeasuredTable
from ohmnas.surrogate import metrics
from ohmnas.surrogate.heads import Values
from ohmnas.surrogate.learning import HEADS, LearningSet, folds
from ohmnas.surrogate.score import COVERAGE, FOLDS, Spread, covered, spread
from ohmnas.surrogate.surrogate import Surrogate

FEWEST_CHIPS_OF_ONE = 3
"""Of a network, whose order says something."""


@dataclass(frozen=True, slots=True)
class DesignScore:
    """Quality of one head; each Kendall's tau, or None where nothing can be ordered."""

    designs: Spread | None
    """Over all held-out designs."""
    networks: Spread | None
    """Over the held-out networks on the chip that most were measured on."""
    chips: Spread | None
    """Over the chips of one held-out network, mean over networks that have three or more."""
    coverage: Spread | None
    """Share of the labels that lie in their 90 % interval."""


def score_designs(
    table: MeasuredTable, fidelity: str | None = None, seed: int = 0, rounds: int = 3
) -> tuple[LearningSet, dict[str, DesignScore]]:
    """Score all heads by repeated 5-fold cross-validation over networks.

    Args:
        table: what to learn.
        fidelity: which fidelity; None as in `LearningSet.of_designs`.
        seed: of the folds.
        rounds: how often the folds are drawn anew.

    Returns:
        What was learned, and a score for each head.

    Raises:
        InvalidValueError: chips were hardly varied, or the choice is left open or empty.
    """
    data = LearningSet.of_designs(table, fidelity)
    labels = dict(zip(HEADS, data.single().T, strict=True))
    width = len(table.space.gene_names)
    network, chip = (
        np.unique(part, axis=0, return_inverse=True)[1].reshape(-1)
        for part in (data.population[:, :width], data.population[:, width:])
    )
    usual = int(np.bincount(chip).argmax())
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
                same_chip = chip[test] == usual
                inside = covered(head, truth, low, high, data.std_floor)
                found[head].append(
                    (
                        metrics.kendall_tau(truth, guess),
                        metrics.kendall_tau(truth[same_chip], guess[same_chip]),
                        _within(network[test], truth, guess),
                        float(inside.mean()),
                    )
                )
    return data, {head: DesignScore(*(spread(column) for column in np.array(found[head]).T)) for head in HEADS}


def _within(network: npt.NDArray[np.intp], truth: Values, guess: Values) -> float:
    """Kendall's tau among the chips of each network, mean over networks; NaN if none has enough."""
    taus = []
    for one in np.unique(network):
        rows = network == one
        if rows.sum() >= FEWEST_CHIPS_OF_ONE:
            taus.append(metrics.kendall_tau(truth[rows], guess[rows]))
    known = np.array(taus)
    return float(known[~np.isnan(known)].mean()) if (~np.isnan(known)).any() else float("nan")
