"""Scales of the targets for training, on which equal steps are equally important.

Standard deviations span decades, so their logarithm is used. Accuracy variations also span decades, but around 0:
arsinh(AVM / `AVM_UNIT`) is linear for AVMs as small as typical limits, and logarithmic beyond. Without it, networks
that lose all accuracy would dominate the fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

AVM_UNIT: Final = 0.03
"""A fraction. On digits, values from 0.01 to 0.05 find the best tenth by AVM equally well; a linear scale is worse."""


def to_scales(labels: Values, std_floor: float) -> Values:
    """Convert ``(n, 3)`` accuracies, standard deviations and AVMs from fractions to their scales.

    Args:
        labels: ``(n, 3)``, in the order of `DEFAULT_NAMES`.
        std_floor: smallest standard deviation that can be resolved.
    """
    accuracy, std, avm = labels.T
    return np.column_stack([accuracy, np.log(np.maximum(std, std_floor)), np.arcsinh(avm / AVM_UNIT)])


def from_scales(values: Values) -> Values:
    """``(n, 3)``: the inverse of `to_scales`."""
    accuracy, log_std, avm = values.T
    return np.column_stack([accuracy, np.exp(log_std), AVM_UNIT * np.sinh(avm)])
