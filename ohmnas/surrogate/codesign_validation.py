"""Cross-validation of co-design surrogates on held-out networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import metrics
from ohmnas.surrogate.fit.folds import folds, networks_of
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.score import COVERAGE, FEWEST_SCORED, FOLDS, Spread, covered, spread
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES, DEFAULTS

FEWEST_CHIPS_OF_ONE = 3
"""Smallest number of chips per network for a rank correlation between chips."""
FEWEST_NETWORKS = 10
"""Smallest number of held-out networks per chip for a rank correlation between networks."""


@dataclass(frozen=True, slots=True)
class DesignScore:
    """Prediction quality for one target on held-out networks: Kendall's tau in three groupings, and coverage.

    A design is a network on a chip. Undefined values are None.
    """

    designs: Spread | None
    """Kendall's tau over all held-out designs."""
    networks: Spread | None
    """Kendall's tau between networks on one chip, averaged over chips with at least `FEWEST_NETWORKS` networks."""
    chips: Spread | None
    """Kendall's tau between chips of one network, averaged over networks with at least `FEWEST_CHIPS_OF_ONE` chips."""
    coverage: Spread | None
    """Share of labels inside their 90 % prediction interval."""


def score_designs(
    table: MeasuredTable,
    fidelity: str | None = None,
    seed: int = 0,
    rounds: int = 3,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[TrainingSet, dict[str, DesignScore]]:
    """Score the default targets by repeated 5-fold cross-validation over networks.

    Surrogates are fitted to mean labels and scored on the labels of the first seed.

    Args:
        table: measured table.
        fidelity: training fidelity; None is the default of `TrainingSet.of_designs`.
        seed: seed of the folds.
        rounds: number of repeats, with new folds.
        report: called with the number of finished fits, out of ``rounds * FOLDS``.

    Returns:
        The training set and a score for each target.

    Raises:
        InvalidValueError: the table's third target is not the AVM, there are too few chips or networks, the fidelity is
            ambiguous, or no rows match.
    """
    if table.targets != DEFAULTS:
        raise InvalidValueError(f"scores of designs need the AVM, but {table.source} has {table.targets[2].name}")
    data = TrainingSet.of_designs(table, fidelity)
    different = len(np.unique(networks_of(data.population, len(data.space.networks.genes))))
    if different < FEWEST_SCORED:
        raise InvalidValueError(
            f"table {table.source} has {different} networks on varied chips; a score needs {FEWEST_SCORED}"
        )
    labels = dict(zip(DEFAULT_NAMES, data.single().T, strict=True))
    width = len(table.space.gene_names)
    network, chip = (
        np.unique(part, axis=0, return_inverse=True)[1].reshape(-1)
        for part in (data.population[:, :width], data.population[:, width:])
    )
    found: dict[str, list[tuple[float, float, float, float]]] = {target: [] for target in DEFAULT_NAMES}
    for round_ in range(rounds):
        for train, test in folds(data.population, len(data.space.networks.genes), FOLDS, seed + round_):
            surrogate = Surrogate.learn(data.take(train), seed=seed).model_
            unseen = data.population[test]
            predicted, scores = surrogate.estimate(unseen), surrogate.rank_scores(unseen)
            low, high = (surrogate.quantile(predicted, (1 + side * COVERAGE) / 2) for side in (-1, 1))
            for target in DEFAULT_NAMES:
                truth = labels[target][test]
                guess = scores if target == DEFAULT_NAMES[0] else predicted[target]
                inside = covered(target, truth, low, high, data.scales.std_floor)
                found[target].append(
                    (
                        metrics.kendall_tau(truth, guess),
                        _within(chip[test], truth, guess, FEWEST_NETWORKS),
                        _within(network[test], truth, guess, FEWEST_CHIPS_OF_ONE),
                        float(inside.mean()),
                    )
                )
            report(len(found[DEFAULT_NAMES[0]]))
    return data, {
        target: DesignScore(*(spread(column) for column in np.array(found[target]).T)) for target in DEFAULT_NAMES
    }


def _within(group: npt.NDArray[np.intp], truth: Values, guess: Values, fewest: int) -> float:
    """Mean of Kendall's tau within groups of at least `fewest` rows; NaN if it is undefined in all groups."""
    sizes = np.bincount(group)
    taus = [metrics.kendall_tau(truth[group == one], guess[group == one]) for one in np.flatnonzero(sizes >= fewest)]
    known = np.array(taus)[~np.isnan(taus)]
    return float(known.mean()) if len(known) else float("nan")
