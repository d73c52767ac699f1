"""Cross-validated quality of a surrogate on a table, with the ceiling set by label noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import DataFrameGroupBy
from sklearn.model_selection import KFold

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.surrogate import metrics
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.targets import DEFAULT_NAMES

FOLDS = 5
FEWEST_SCORED = -(-FEWEST_ROWS * FOLDS // (FOLDS - 1))
"""Smallest number of architectures to score: four fifths of them are enough for a fit."""
COVERAGE = 0.9
"""Coverage of the intervals that are tested."""
ROUNDING = 1e-9
"""Tolerance at the ends of intervals: standard deviations are converted from logarithms."""
FEWEST_REPEATS = 10
"""Smallest number of architectures measured twice for a ceiling."""


Spread = tuple[float, float]
"""Mean and standard deviation over folds and repeats."""


@dataclass(frozen=True, slots=True)
class TargetScore:
    """Prediction quality for one target on held-out architectures.

    A fold with constant labels or predictions has no score; None means fewer than two folds with a score.
    """

    kendall_tau: Spread | None
    spearman: Spread | None
    precision_at_10: Spread | None
    """Share of the predicted top 10 % that are in the measured top 10 %."""
    coverage: Spread | None
    """Share of labels inside their 90 % prediction interval."""
    ceiling: float | None
    """Kendall's tau of a perfect predictor on these noisy labels; None if too few architectures were measured twice, or
    all their labels are equal."""
    ceiling_interval: tuple[float, float] | None
    """95 % interval of the ceiling, wide if there are few pairs; None without a ceiling."""
    repeats: int
    """Number of architectures measured twice."""


def score(
    table: MeasuredTable,
    hardware: str | None = None,
    fidelity: str | None = None,
    seed: int = 0,
    rounds: int = 3,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[int, dict[str, TargetScore]]:
    """Score all targets by repeated 5-fold cross-validation over architectures.

    A surrogate is trained on mean labels, but scored on the label of each held-out architecture's first seed, because
    the ceiling holds for single labels and means are less noisy.

    Args:
        table: measured table.
        hardware: chip; None is the default of `MeasuredTable.select`.
        fidelity: training fidelity; None is the default of `MeasuredTable.select`.
        seed: seed of the folds.
        rounds: number of repeats, with new folds.
        report: called with the number of finished fits, out of ``rounds * FOLDS``.

    Returns:
        The number of architectures and a score for each target.

    Raises:
        InvalidValueError: the chip or the fidelity is ambiguous, no rows match, or there are fewer than
            `FEWEST_SCORED` architectures.
    """
    data = TrainingSet.of(table, hardware, fidelity)
    chip, effort = str(data.provenance["hardware"]), str(data.provenance["fidelity"])
    if len(data.population) < FEWEST_SCORED:
        raise InvalidValueError(
            f"table {table.source} has {len(data.population)} measured architectures; a score needs {FEWEST_SCORED}"
        )
    labels = dict(zip(data.target_names, data.single().T, strict=True))
    found: dict[str, list[tuple[float, float, float, float]]] = {target: [] for target in data.target_names}
    for round_ in range(rounds):
        folds = KFold(FOLDS, shuffle=True, random_state=seed + round_)
        for train, test in folds.split(data.population):
            surrogate = Surrogate.learn(data.take(train), seed=seed).model_
            unseen = data.population[test]
            predicted, scores = surrogate.estimate(unseen), surrogate.rank_scores(unseen)
            low, high = (surrogate.quantile(predicted, (1 + side * COVERAGE) / 2) for side in (-1, 1))
            for target in data.target_names:
                truth = labels[target][test]
                guess = scores if target == DEFAULT_NAMES[0] else predicted[target]
                inside = covered(target, truth, low, high, data.scales.std_floor)
                found[target].append(
                    (
                        metrics.kendall_tau(truth, guess),
                        metrics.spearman(truth, guess),
                        metrics.precision_at(0.1, truth, guess, smaller_is_better=target != DEFAULT_NAMES[0]),
                        float(inside.mean()),
                    )
                )
            report(len(found[DEFAULT_NAMES[0]]))
    pairs = repeated(table, chip, effort)
    result = {}
    for target in data.target_names:
        tau, rank, precision, coverage = (spread(values) for values in np.array(found[target]).T)
        ceiling, interval = float("nan"), None
        if len(pairs) >= FEWEST_REPEATS:
            first, second = (pairs[f"{target}_{which}"].to_numpy() for which in ("first", "second"))
            ceiling = metrics.noise_ceiling(first, second)
        if not np.isnan(ceiling):
            interval = metrics.noise_ceiling_interval(first, second)
        known = None if np.isnan(ceiling) else ceiling
        result[target] = TargetScore(tau, rank, precision, coverage, known, interval, len(pairs))
    return len(data.population), result


def covered(target: str, truth: Values, low: Estimate, high: Estimate, std_floor: float) -> npt.NDArray[np.bool_]:
    """``(n,)``: True for labels inside their interval.

    Standard deviations below the table's resolution count as equal to the resolution.
    """
    resolved = np.maximum(truth, std_floor) if target == DEFAULT_NAMES[1] else truth
    return np.asarray((low[target] <= resolved + ROUNDING) & (resolved <= high[target] + ROUNDING))


def spread(values: Values) -> Spread | None:
    """Mean and standard deviation over the folds that have a score."""
    known = values[~np.isnan(values)]
    return (float(known.mean()), float(known.std(ddof=1))) if len(known) >= 2 else None


def repeated(table: MeasuredTable, hardware: str, fidelity: str) -> pd.DataFrame:
    """Return architectures measured with two seeds, with labels ``<target>_first`` and ``<target>_second``."""
    groups = _by_architecture(table, hardware, fidelity)
    genes = list(table.space.gene_names)
    columns = [*genes, *(one.name for one in table.targets)]
    return groups.nth(0)[columns].merge(groups.nth(1)[columns], on=genes, suffixes=("_first", "_second"))


def _by_architecture(table: MeasuredTable, hardware: str, fidelity: str) -> DataFrameGroupBy[Any, Any]:
    """Group the rows on one chip by architecture, sorted by seed."""
    frame = table.select(hardware, fidelity)
    return frame.sort_values("seed", kind="stable").groupby(list(table.space.gene_names), sort=True)
