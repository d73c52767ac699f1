"""Paired comparison of two networks over training runs, and correction for multiple comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

CONFIDENCE: Final = 0.95
"""Coverage of the intervals."""
FEWEST: Final = 2
"""Smallest number of pairs for an interval."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of paired differences, first minus second."""

    mean: float
    low: float | None
    """Lower end of the interval; None with one pair, or if all differences are equal."""
    high: float | None
    p: float | None
    """Two-sided p value for the hypothesis that the mean difference is 0; None with one pair, or if all differences are
    equal and not 0."""
    pairs: int
    """Number of training runs in which both networks were measured."""

    def to_dict(self) -> dict[str, float | int | None]:
        """Return JSON values."""
        return asdict(self)


def difference(first: Sequence[float | None], second: Sequence[float | None]) -> Difference | None:
    """Compare two networks measured with the same seeds on the same images, by Student's paired t-test.

    The interval accounts for the choice of training runs and chips, but not for the choice of images, which both
    networks share.

    Args:
        first: value of each training run; None where it diverged.
        second: the values of the other network, in the same order.

    Returns:
        The difference; None if no training run has both values.
    """
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
    if not pairs:
        return None
    changes = np.array([one - other for one, other in pairs])
    mean, n = float(changes.mean()), len(changes)
    if n < FEWEST:
        return Difference(mean, None, None, None, n)
    spread = float(changes.std(ddof=1))
    if spread <= 1e-12 * max(abs(mean), 1e-12):  # equal differences give no estimate of their spread
        return Difference(mean, None, None, None if mean else 1.0, n)
    from scipy import stats  # slow to import, and reading results does not need it

    error = spread / np.sqrt(n)
    half = float(stats.t.ppf((1.0 + CONFIDENCE) / 2.0, n - 1) * error)
    p = float(2.0 * stats.t.sf(abs(mean) / error, n - 1))
    return Difference(mean, mean - half, mean + half, p, n)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p values of multiple comparisons by Holm's step-down method (Holm, 1979).

    Comparing the corrected values with a significance level limits the probability of any false positive to this level.

    Args:
        p_values: one for each comparison.

    Returns:
        Corrected p values in the same order, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    corrected, highest = np.empty(len(p_values)), 0.0
    for place, row in enumerate(order):
        highest = max(highest, min((len(p_values) - place) * p_values[row], 1.0))
        corrected[row] = highest
    return corrected.tolist()
