"""Fit a `Calibration` to scores and accuracies."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import isotonic_regression

from ohmnas.surrogate.calibration import SMALLEST_STEP, Calibration
from ohmnas.surrogate.scales import Values


def fit_calibration(scores: Values, values: Values) -> Calibration:
    """Isotonic regression, then lines through the centres of its steps.

    The steps of isotonic regression are flat, so a search would not see differences within a step. Lines through the
    centres keep the order and the level of the steps.

    Args:
        scores: ``(n,)``: scores of held-out rows.
        values: ``(n,)``: accuracies of these rows.
    """
    order = np.lexsort((-values, scores))  # equal scores get decreasing values, which the regression pools
    level = isotonic_regression(values[order])
    steps = np.flatnonzero(np.diff(level, prepend=-np.inf))
    sizes = np.diff(np.append(steps, len(level)))
    middles = np.add.reduceat(scores[order], steps) / sizes
    apart = np.diff(middles, prepend=-np.inf) > SMALLEST_STEP
    return Calibration(middles[apart], level[steps][apart])
