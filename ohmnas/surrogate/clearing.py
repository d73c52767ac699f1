"""Labels cleared of some of their chance: what a row's other columns say of its standard deviation over chips.

The standard deviation of 25 accuracies is known to 14 % at best, to less where some chips fail, and no model can learn
that. But the same chips were read at other times too, and how they differ then says where a network's spread lies.

What a straight line through those columns misses is taken for chance up to an assumed size. That is an approximation:
readings of the same chips share a part of their chance, which the line then keeps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV

from ohmnas.threads import one_blas_thread

Values = npt.NDArray[np.float64]

KURTOSIS: Final = 5.0
"""Of accuracies over chips, assumed: 3 if they were normal, but now and then a chip fails."""
PENALTIES: Final = np.logspace(-1, 3, 9)
"""To choose from by leaving out one row after the other."""


def cleared(log_stds: Values, views: Values, chips: int) -> Values:
    """``(n,)``: the logarithms to expect of the standard deviations, given themselves and the row's other columns.

    A straight line through the views says what to expect without the label. How far labels lie from it is in part
    chance, of a size that follows from the chips; the rest is what views cannot say, and as much of the distance is
    kept (empirical Bayes: Efron and Morris, 1973).

    Args:
        log_stds: ``(n,)``, measured.
        views: ``(n, k)``: logarithms of the standard deviations of the same chips at other times, and the like.
        chips: behind each standard deviation, at least 2.
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
    chance = (KURTOSIS - 1.0) / (4.0 * chips)  # variance of the logarithm of a standard deviation
    return expected + (max(1.0 - chance / size, 0.0) if size > 0.0 else 0.0) * distance
