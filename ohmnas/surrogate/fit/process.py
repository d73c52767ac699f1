"""Fit Gaussian processes: fit the kernel, then condition on rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit.kernel import Kernel, some, standard
from ohmnas.surrogate.process import GaussianProcess, far, matern
from ohmnas.surrogate.scales import Values
from ohmnas.threads import one_blas_thread

MOST_ROWS: Final = 700
"""Largest number of rows used by the kernel; a prediction takes time in proportion."""
SPREAD_ROWS: Final = 250
"""The same for standard deviation and AVM, which are smooth functions of the score and need fewer rows."""
LEARNED_ROWS: Final = 10_000
"""Largest number of rows used for the fit; sampled at random if there are more."""
_JITTER: Final = 1e-6
"""Added per row to the diagonal: rounding to single precision could otherwise make the covariance indefinite."""

Rows = npt.NDArray[np.intp]


def condition(
    features: Features, labels: Values, kernel: Kernel, seed: int = 0, most: int = MOST_ROWS
) -> GaussianProcess:
    """Condition a process on rows.

    Args:
        features: ``(n, f)``.
        labels: ``(n, h)``.
        kernel: kernel for these features and labels.
        seed: seed of the row sample.
        most: largest number of rows used by the kernel.
    """
    rng = np.random.default_rng(seed)
    learned = some(rng, len(labels), LEARNED_ROWS)
    centre, scale = standard(features)
    scale /= kernel.lengths
    varied = np.flatnonzero(scale)
    centre, scale = centre[varied], scale[varied]
    inputs = ((features[learned][:, varied] - centre) * scale).astype(np.float32)
    levels = labels.mean(axis=0)
    rest = labels[learned] - levels
    reached = inputs[some(rng, len(inputs), most)]
    with one_blas_thread():
        factor = far(reached)
        among = matern(reached, factor).astype(np.float64)
        if len(reached) == len(inputs):
            covariance, noisy = among, np.eye(len(reached))
        else:
            across = matern(inputs, factor).astype(np.float64)
            covariance, noisy, rest = across.T @ across, among, across.T @ rest
            covariance.flat[:: len(reached) + 1] += _JITTER * len(inputs)
        weights = [
            cho_solve(cho_factor(covariance + noise * noisy, lower=True), column)
            for noise, column in zip(kernel.noise, rest.T, strict=True)
        ]
    return GaussianProcess(
        varied.astype(np.int32),
        centre.astype(np.float32),
        scale.astype(np.float32),
        reached,
        np.column_stack(weights).astype(np.float32),
        levels,
    )


def fitted_on(
    parts: Sequence[tuple[Rows, Rows]], features: Features, labels: Values, groups: Rows, most: int, seed: int = 0
) -> tuple[GaussianProcess, Values]:
    """Condition on all rows, and on the rows of each fold with the same kernel.

    Args:
        parts: training rows and test rows of each fold.
        features: ``(n, f)``.
        labels: ``(n, h)``.
        groups: ``(f,)``: group of each feature (`features.feature_groups`).
        most: largest number of rows used by the kernel.
        seed: seed of the row sample.

    Returns:
        The process conditioned on all rows, and ``(n, h)`` held-out predictions of the fold processes.
    """
    kernel = Kernel.fit(features, labels, groups, seed)
    expected = np.empty_like(labels)
    for train, test in parts:
        expected[test] = condition(features[train], labels[train], kernel, seed, most).predict(features[test])
    return condition(features, labels, kernel, seed, most), expected
