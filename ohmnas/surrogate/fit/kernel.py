"""Kernel of the Gaussian process: one length scale per feature group.

Matern kernel (nu = 3/2) on standardised features (Rasmussen and Williams, 2006, equation 4.17). All features of a group
share a length scale: genes matter less than features derived from them, and a score that summarises all others matters
most. Length scales and label noise maximise the marginal likelihood of a few hundred rows (ibid., equations 5.8 and
5.9; the kernel's variance has a closed form). A prior on the length scales is included, because few rows cannot
determine them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ohmnas.surrogate.features import GROUPS, Features
from ohmnas.surrogate.scales import Values
from ohmnas.threads import one_blas_thread

DEFAULT_LENGTHS: Final = dict(zip(GROUPS, (25.0, 8.0, 8.0, 8.0, 2.0), strict=True))
"""Centre of the prior, in standard deviations of the features."""
DOUBT: Final = 0.3
"""Standard deviation of the log length scale under the prior. It is narrow, so a few rows hardly move the length
scales."""
LIKELIHOOD_ROWS: Final = 250
"""Rows for the marginal likelihood, whose cost is cubic in their number."""
DEFAULT_NOISE: Final = 0.2
"""Initial ratio of noise variance to kernel variance."""
_LENGTHS: Final = (0.3, 400.0)
_NOISE: Final = (1e-3, 10.0)
_STEPS: Final = 30


@dataclass(frozen=True, slots=True)
class Kernel:
    """Length scales and label noise."""

    lengths: Values
    """``(f,)``: length scale of each feature, in its standard deviations."""
    noise: Values
    """``(h,)``: noise variance of each target, relative to the kernel's variance."""

    @classmethod
    def fit(cls, features: Features, labels: Values, groups: npt.NDArray[np.intp], seed: int = 0) -> Self:
        """Maximise the joint marginal likelihood of all targets times the prior.

        Args:
            features: ``(n, f)``.
            labels: ``(n, h)``; targets with constant labels are ignored.
            groups: ``(f,)``: group of each feature, an index into `GROUPS`.
            seed: seed of the row sample.
        """
        rows = some(np.random.default_rng(seed), len(labels), LIKELIHOOD_ROWS)
        centre, scale = standard(features)
        inputs = (features[rows] - centre) * scale
        present = np.unique(groups[scale > 0.0])
        lengths = np.array([*DEFAULT_LENGTHS.values()])
        noise = np.full(labels.shape[1], DEFAULT_NOISE)
        deviations = labels[rows].std(axis=0)
        differ = np.flatnonzero(deviations > 1e-9)
        if len(present) and len(differ):
            targets = (labels[rows][:, differ] - labels[rows][:, differ].mean(axis=0)) / deviations[differ]
            with one_blas_thread():
                squares = np.array([_squares(inputs[:, groups == group]) for group in present])
                lengths[present], noise[differ] = _most_likely(squares, targets, lengths[present])
        return cls(lengths[groups], noise)


def standard(features: Features) -> tuple[Values, Values]:
    """``(f,)`` each: mean of each feature, and 1 / standard deviation, or 0 if it never varies."""
    centre, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    return centre, np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6 * (1.0 + np.abs(centre)))


def some(rng: np.random.Generator, n: int, most: int) -> npt.NDArray[np.intp]:
    """All n rows, or `most` random ones in order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _squares(inputs: Values) -> Values:
    """``(n, f)`` -> ``(n, n)``: three times the squared distances."""
    lengths = (inputs * inputs).sum(axis=1)
    squares: Values = 3.0 * np.maximum(lengths[:, None] + lengths - 2.0 * inputs @ inputs.T, 0.0)
    return squares


def _most_likely(squares: Values, labels: Values, centre: Values) -> tuple[Values, Values]:
    """``(g,)`` length scales and ``(h,)`` noise that maximise the likelihood times the prior.

    Args:
        squares: ``(g, n, n)``: `_squares` of each group.
        labels: ``(n, h)``, standardised.
        centre: ``(g,)``: centre of the prior.
    """
    g, h = len(squares), labels.shape[1]
    start = np.concatenate([np.log(centre), np.full(h, np.log(DEFAULT_NOISE))])
    bounds = [tuple(np.log(_LENGTHS))] * g + [tuple(np.log(_NOISE))] * h
    options = {"maxiter": _STEPS}
    found = minimize(
        _negative_log_likelihood, start, (squares, labels, start), jac=True, bounds=bounds, options=options
    ).x
    return np.exp(found[:g]), np.exp(found[g:])


def _negative_log_likelihood(logarithms: Values, *arguments: Any) -> tuple[float, Values]:
    """Negative log of likelihood times prior, and its gradient.

    The gradient is with respect to the logarithms of length scales and noise.
    """
    squares, labels, start = arguments
    g, n = len(squares), len(labels)
    parts = squares * np.exp(-2.0 * logarithms[:g])[:, None, None]
    distance = np.sqrt(parts.sum(axis=0))
    fade = np.exp(-distance)
    kernel = (1.0 + distance) * fade
    parts *= fade  # derivative of the kernel with respect to the log length scale
    away = (logarithms[:g] - start[:g]) / DOUBT
    value = 0.5 * float(away @ away)
    gradient = np.concatenate([away / DOUBT, np.zeros(labels.shape[1])])
    for target, noise in enumerate(np.exp(logarithms[g:])):
        covariance = kernel.copy()
        covariance.flat[:: n + 1] += noise
        factor = cho_factor(covariance, lower=True)
        weights = cho_solve(factor, labels[:, target])
        variance = float(labels[:, target] @ weights) / n
        value += 0.5 * n * np.log(variance) + float(np.log(np.diag(factor[0])).sum())
        pull = cho_solve(factor, np.eye(n)) - np.outer(weights, weights) / variance
        gradient[:g] += 0.5 * np.tensordot(parts, pull)
        gradient[g + target] = 0.5 * noise * np.trace(pull)
    return value, gradient
