"""The scales on which heads learn: there equal steps matter equally.

Standard deviations spread over decades, so that their logarithm is learned. So do accuracy variations over time, but
around 0: arsinh(AVM / `AVM_UNIT`) is linear where they are as small as what limits ask for, and a logarithm beyond.
Unscaled, the networks that lose everything would decide what is learned of those that lose little.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

AVM_UNIT: Final = 0.03
"""Fraction; on digits the best tenth by AVM is found alike from 0.01 to 0.05, and less surely without."""


def to_scales(labels: Values, std_floor: float) -> Values:
    """``(n, 3)`` accuracies, standard deviations and AVMs, as fractions -> what heads learn.

    Args:
        labels: ``(n, 3)``, in the order of `HEADS`.
        std_floor: smallest standard deviation that is told apart.
    """
    accuracy, std, avm = labels.T
    return np.column_stack([accuracy, np.log(np.maximum(std, std_floor)), np.arcsinh(avm / AVM_UNIT)])


def from_scales(values: Values) -> Values:
    """``(n, 3)``: the inverse of `to_scales`."""
    accuracy, log_std, avm = values.T
    return np.column_stack([accuracy, np.exp(log_std), AVM_UNIT * np.sinh(avm)])
