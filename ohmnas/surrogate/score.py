"""Cross-validated quality of the surrogate on a table, beside the ceiling that its label noise allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import DataFrameGroupBy
from sklearn.model_selection import KFold

from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.surrogate import metrics
from ohmnas.surrogate.heads import Values
from ohmnas.surrogate.learning import FEWEST_ROWS, HEADS, LearningSet
from ohmnas.surrogate.prediction import Prediction
from ohmnas.surrogate.surrogate import Surrogate

FOLDS = 5
FEWEST_SCORED = -(-FEWEST_ROWS * FOLDS // (FOLDS - 1))
"""Architectures of which four fifths are enough to learn from."""
COVERAGE = 0.9
"""Of the intervals whose hits are counted."""
ROUNDING = 1e-9
"""By which a label may lie beyond its interval: standard deviations come back from their logarithms."""
FEWEST_REPEATS = 10
"""Architectures that must have been measured twice before a ceiling is stated."""


Spread = tuple[float, float]
"""Mean and standard deviation over folds and repeats."""


@dataclass(frozen=True, slots=True)
class HeadScore:
    """Quality of one head on architectures that it never saw.

    A fold whose labels or predictions are all equal has no score; None is what fewer than two folds have.
    """

    kendall_tau: Spread | None
    spearman: Spread | None
    precision_at_10: Spread | None
    """Share of the predicted best 10 % that are among the real best 10 %."""
    coverage: Spread | None
    """Share of the labels that lie in their 90 % interval."""
    ceiling: float | None
    """Kendall's tau of a perfect predictor on these noisy labels; None where too few were measured twice, or all their
    labels are equal."""
    ceiling_interval: tuple[float, float] | None
    """95 % interval of the ceiling: few pairs know it roughly; None without a ceiling."""
    repeats: int
    """Architectures that the ceiling rests on."""


def score(
    table: MeasuredTable,
    hardware: str | None = None,
    fidelity: str | None = None,
    seed: int = 0,
    rounds: int = 3,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[int, dict[str, HeadScore]]:
    """Score all heads by repeated 5-fold cross-validation over architectures.

    A surrogate learns from all labels of its architectures. It is scored against the label of the first seed of each
    architecture that it did not see: the ceiling is that of single labels, and means of several are less noisy.

    Args:
        table: what to learn.
        hardware: which chip; None as in `MeasuredTable.select`.
        fidelity: which fidelity; likewise.
        seed: of the folds.
        rounds: how often the folds are drawn anew.
        report: called with how many of the ``rounds * FOLDS`` fits are done.

    Returns:
        Architectures learned from, and a score for each head.

    Raises:
        InvalidValueError: the choice is left open or empty, or the table has fewer than `FEWEST_SCORED` architectures.
    """
    data = LearningSet.of(table, hardware, fidelity)
    chip, effort = str(data.provenance["hardware"]), str(data.provenance["fidelity"])
    if len(data.population) < FEWEST_SCORED:
        raise InvalidValueError(
            f"table {table.source} has {len(data.population)} measured architectures; a score needs {FEWEST_SCORED}"
        )
    labels = dict(zip(HEADS, data.single().T, strict=True))
    found: dict[str, list[tuple[float, float, float, float]]] = {head: [] for head in HEADS}
    for round_ in range(rounds):
        folds = KFold(FOLDS, shuffle=True, random_state=seed + round_)
        for train, test in folds.split(data.population):
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
                        metrics.spearman(truth, guess),
                        metrics.precision_at(0.1, truth, guess, smaller_is_better=head != HEADS[0]),
                        float(inside.mean()),
                    )
                )
            report(len(found[HEADS[0]]))
    pairs = repeated(table, chip, effort)
    result = {}
    for head in HEADS:
        tau, rank, precision, coverage = (spread(values) for values in np.array(found[head]).T)
        ceiling, interval = float("nan"), None
        if len(pairs) >= FEWEST_REPEATS:
            first, second = (pairs[f"{head}_{which}"].to_numpy() for which in ("first", "second"))
            ceiling = metrics.noise_ceiling(first, second)
        if not np.isnan(ceiling):
            interval = metrics.noise_ceiling_interval(first, second)
        known = None if np.isnan(ceiling) else ceiling
        result[head] = HeadScore(tau, rank, precision, coverage, known, interval, len(pairs))
    return len(data.population), result


def covered(head: str, truth: Values, low: Prediction, high: Prediction, std_floor: float) -> npt.NDArray[np.bool_]:
    """``(n,)``: which labels lie in their interval; of standard deviations what the table resolves."""
    resolved = np.maximum(truth, std_floor) if head == HEADS[1] else truth
    return np.asarray((getattr(low, head) <= resolved + ROUNDING) & (resolved <= getattr(high, head) + ROUNDING))


def spread(values: Values) -> Spread | None:
    """Of the folds that have a score."""
    known = values[~np.isnan(values)]
    return (float(known.mean()), float(known.std(ddof=1))) if len(known) >= 2 else None


def repeated(table: MeasuredTable, hardware: str, fidelity: str) -> pd.DataFrame:
    """Architectures measured with two seeds: their labels side by side, ``<head>_first`` and ``<head>_second``."""
    groups = _by_architecture(table, hardware, fidelity)
    columns = [*GENE_NAMES, *HEADS]
    return groups.nth(0)[columns].merge(groups.nth(1)[columns], on=list(GENE_NAMES), suffixes=("_first", "_second"))


def _by_architecture(table: MeasuredTable, hardware: str, fidelity: str) -> DataFrameGroupBy[Any, Any]:
    """The rows of each architecture on one chip, by seed."""
    frame = table.select(hardware, fidelity)
    return frame.sort_values("seed", kind="stable").groupby(list(GENE_NAMES), sort=True)
