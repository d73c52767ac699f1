"""Metrics of prediction quality, and the best score that label noise allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.scales import Values
from ohmnas.targets import DEFAULT_NAMES


def kendall_tau(truth: Values, predicted: Values) -> float:
    """Kendall's tau-b: 1 for the same order, 0 for chance; NaN if an input is constant."""
    return float(stats.kendalltau(truth, predicted).statistic)


def tau_scorer(target: str = DEFAULT_NAMES[0]) -> Callable[[Any, Any, npt.ArrayLike], float]:
    """Return a scorer for scikit-learn's cross-validation and grid search: Kendall's tau of one target.

    Args:
        target: one of `DEFAULT_NAMES`.

    Raises:
        InvalidValueError: the name is unknown.
    """
    if target not in DEFAULT_NAMES:
        raise InvalidValueError(f"cannot score the target {target!r}: choose {', '.join(DEFAULT_NAMES)}")
    column = DEFAULT_NAMES.index(target)

    def score(surrogate: Any, X: Any, y: npt.ArrayLike) -> float:
        guess = surrogate.rank_scores(X) if column == 0 else surrogate.predict(X)[:, column]
        return kendall_tau(np.asarray(y, dtype=np.float64)[:, column], guess)

    return score


def spearman(truth: Values, predicted: Values) -> float:
    """Spearman's rank correlation; NaN if an input is constant."""
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(stats.spearmanr(truth, predicted).statistic)


def precision_at(share: float, truth: Values, predicted: Values, smaller_is_better: bool = False) -> float:
    """Fraction of the predicted top `share` of rows that is in the true top `share`; NaN if an input is constant.

    Args:
        share: in (0, 1]; at least one row is taken.
        truth: ``(n,)``.
        predicted: ``(n,)``.
        smaller_is_better: True for standard deviation and AVM.
    """
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")  # all rows are equally good
    sign = 1.0 if smaller_is_better else -1.0
    k = max(round(share * len(truth)), 1)
    best = np.argsort(sign * truth, kind="stable")[:k]
    chosen = np.argsort(sign * predicted, kind="stable")[:k]
    return len(np.intersect1d(best, chosen)) / k


def noise_ceiling(first: Values, second: Values) -> float:
    """Kendall's tau of a perfect predictor on labels with this noise.

    A label is truth plus noise. The correlation between two independent labels of the same architectures is r12 =
    var(truth) / var(label). The correlation between truth and label is sqrt(r12) (attenuation: Spearman, 1904). For a
    bivariate normal distribution with correlation r, Kendall's tau is 2/pi asin(r) (Greiner). Therefore

        ceiling = 2/pi asin( sqrt( sin(pi/2 tau12) ) ).

    The ceiling is NaN if an input is constant, and 0 if tau12 is not positive.

    Args:
        first: ``(n,)`` labels.
        second: ``(n,)`` labels of the same architectures, measured with another seed.
    """
    agreement = kendall_tau(first, second)
    return float(2 / np.pi * np.arcsin(np.sqrt(max(np.sin(np.pi / 2 * agreement), 0.0))))


def noise_ceiling_interval(first: Values, second: Values, resamples: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of `noise_ceiling`: percentiles of a bootstrap over the pairs of labels.

    The result is deterministic. Draws with an undefined ceiling are ignored; if there are no others, both ends are NaN.

    Args:
        first: ``(n,)`` labels.
        second: ``(n,)`` labels of the same architectures, measured with another seed.
        resamples: number of bootstrap draws.
    """
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(first), size=(resamples, len(first)))
    ceilings = np.array([noise_ceiling(first[rows], second[rows]) for rows in drawn])
    known = ceilings[~np.isnan(ceilings)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
