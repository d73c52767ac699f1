"""Label shrinkage: reduce the sampling error of a row's standard deviation by means of its other columns.

The standard deviation of 25 accuracies has a sampling error of at least 14 %, and more if some chips fail. No model can
predict this error. The same chips were also measured at other times, and these standard deviations show where the true
value lies.

The distance between a label and a linear fit on the other columns is treated as sampling error, up to an assumed size.
This is an approximation: measurements of the same chips share part of their sampling error, and the fit keeps that
part.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV

from ohmnas.threads import one_blas_thread

Values = npt.NDArray[np.float64]

KURTOSIS: Final = 5.0
"""Assumed kurtosis of accuracies over chips. A normal distribution has 3; failing chips raise it."""
PENALTIES: Final = np.logspace(-1, 3, 9)
"""Candidate ridge penalties; the leave-one-out error selects one."""


def shrunk(log_stds: Values, other_log_stds: Values, chips: int) -> Values:
    """``(n,)``: expected logarithms of the true standard deviations, given the measured ones and the other columns.

    A ridge regression predicts the labels from the other columns. The squared distance between labels and predictions
    has two parts. One part is sampling error, which depends on the number of chips. The rest is a real difference that
    the other columns cannot explain. Each distance is multiplied by the share of this rest (empirical Bayes: Efron and
    Morris, 1973). If all other columns are constant, the labels are returned unchanged.

    Args:
        log_stds: ``(n,)``: logarithms of the measured standard deviations, the labels.
        other_log_stds: ``(n, k)``: logarithms of standard deviations of the same chips at other times.
        chips: number of chips per standard deviation, at least 2.
    """
    deviations = other_log_stds.std(axis=0)
    varied = deviations > 0.0
    if not varied.any():
        return log_stds
    varying = other_log_stds[:, varied]
    standard = (varying - varying.mean(axis=0)) / deviations[varied]
    with one_blas_thread():
        expected: Values = RidgeCV(PENALTIES).fit(standard, log_stds).predict(standard)
    distance = log_stds - expected
    size = float(np.square(distance).mean())
    chance = (KURTOSIS - 1.0) / (4.0 * chips)  # variance of the log standard deviation
    return expected + (max(1.0 - chance / size, 0.0) if size > 0.0 else 0.0) * distance
