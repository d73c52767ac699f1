"""How good predictions are, and how good they can be given the noise of the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.learning import HEADS, Values


def kendall_tau(truth: Values, predicted: Values) -> float:
    """Kendall's tau-b: 1 is the same order, 0 is chance; NaN if one side is constant."""
    return float(stats.kendalltau(truth, predicted).statistic)


def tau_scorer(head: str = HEADS[0]) -> Callable[[Any, Any, npt.ArrayLike], float]:
    """A scorer for scikit-learn's cross-validation and grid searches: Kendall's tau of one head of a surrogate.

    Args:
        head: one of `HEADS`.

    Raises:
        InvalidValueError: it is none.
    """
    if head not in HEADS:
        raise InvalidValueError(f"a surrogate has no head {head!r}; it has {', '.join(HEADS)}")
    column = HEADS.index(head)

    def score(surrogate: Any, X: Any, y: npt.ArrayLike) -> float:
        guess = surrogate.rank_scores(X) if column == 0 else surrogate.predict(X)[:, column]
        return kendall_tau(np.asarray(y, dtype=np.float64)[:, column], guess)

    return score


def spearman(truth: Values, predicted: Values) -> float:
    """Spearman's rank correlation; NaN if one side is constant."""
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(stats.spearmanr(truth, predicted).statistic)


def precision_at(share: float, truth: Values, predicted: Values, smaller_is_better: bool = False) -> float:
    """Of the best `share` by prediction, how many are among the best `share` in truth; NaN if one side is constant.

    Args:
        share: in (0, 1]; at least one row is taken.
        truth: ``(n,)``.
        predicted: ``(n,)``.
        smaller_is_better: for std and AVM.
    """
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")  # nothing is best
    sign = 1.0 if smaller_is_better else -1.0
    k = max(round(share * len(truth)), 1)
    best = np.argsort(sign * truth, kind="stable")[:k]
    chosen = np.argsort(sign * predicted, kind="stable")[:k]
    return len(np.intersect1d(best, chosen)) / k


def noise_ceiling(first: Values, second: Values) -> float:
    """The Kendall's tau that a perfect predictor would reach on labels as noisy as these.

    Two independent measurements of the same architectures, each truth plus noise, correlate with r12 = var(truth) /
    var(label); truth itself correlates with a label with sqrt(r12) (Spearman's attenuation, 1904). Kendall's tau and r
    of a bivariate normal distribution are tied by tau = 2/pi asin(r) (Greiner), which carries both ways:

        ceiling = 2/pi asin( sqrt( sin(pi/2 tau12) ) ),

    NaN if one side is constant.

    Args:
        first: ``(n,)`` labels.
        second: ``(n,)`` labels of the same architectures, measured with another seed.
    """
    agreement = kendall_tau(first, second)
    return float(2 / np.pi * np.arcsin(np.sqrt(max(np.sin(np.pi / 2 * agreement), 0.0))))


def noise_ceiling_interval(first: Values, second: Values, resamples: int = 1000) -> tuple[float, float]:
    """Low and high end of the 95 % interval of `noise_ceiling`: percentiles of a bootstrap over the pairs.

    The same pairs give the same interval. Draws of pairs that are all equal do not count; NaN if all are.

    Args:
        first: ``(n,)`` labels.
        second: ``(n,)`` labels of the same architectures, measured with another seed.
        resamples: how often n pairs are drawn with replacement.
    """
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(first), size=(resamples, len(first)))
    ceilings = np.array([noise_ceiling(first[rows], second[rows]) for rows in drawn])
    known = ceilings[~np.isnan(ceilings)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
