"""Label shrinkage: reduce the chance error of standard deviations with a row's other columns.

The standard deviation of 25 accuracies has an error of at least 14 %, more if some chips fail, and no model can predict
that error. But the same chips were also measured at other times, and those standard deviations show where the true
value lies.

The distance from a linear fit to those columns is attributed to chance, up to an assumed size. This is an
approximation: measurements of the same chips share a part of their chance error, which the fit keeps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV

from ohmnas.threads import one_blas_thread

Values = npt.NDArray[np.float64]

KURTOSIS: Final = 5.0
"""Assumed kurtosis of accuracies over chips: 3 for a normal distribution, more because some chips fail."""
PENALTIES: Final = np.logspace(-1, 3, 9)
"""Ridge penalties to choose from by leave-one-out."""


def shrunk(log_stds: Values, views: Values, chips: int) -> Values:
    """``(n,)``: expected logarithms of the standard deviations, given themselves and the row's other columns.

    A linear fit to the views predicts the label without using it. The labels' distance from the fit is partly chance,
    of a size that follows from the number of chips. The rest cannot be explained by the views; this share of the
    distance is kept (empirical Bayes: Efron and Morris, 1973).

    Args:
        log_stds: ``(n,)``, measured.
        views: ``(n, k)``: logarithms of the standard deviations of the same chips at other times, and the like.
        chips: number of chips behind each standard deviation, at least 2.
    """
    deviations = views.std(axis=0)
    varied = deviations > 0.0
    if not varied.any():
        return log_stds
    standard = (views[:, varied] - views[:, varied].mean(axis=0)) / deviations[varied]
    with one_blas_thread():
        expected: Values = RidgeCV(PENALTIES).fit(standard, log_stds).predict(standard)
    distance = log_stds - expected
    size = float(np.square(distance).mean())
    chance = (KURTOSIS - 1.0) / (4.0 * chips)  # variance of the log standard deviation
    return expected + (max(1.0 - chance / size, 0.0) if size > 0.0 else 0.0) * distance
