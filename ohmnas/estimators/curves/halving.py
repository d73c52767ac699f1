"""Early stopping of trainings by comparison: successive halving, and its asynchronous form for campaigns.

Successive halving (Jamieson and Talwalkar, 2016) trains a batch to each rung and keeps the best share. ASHA (Li et
al., 2020) decides for each training alone: it stops at a rung unless it is among the best share of all trainings seen
there so far. This is the stopping variant. The promotion variant pauses trainings and needs a checkpoint of each.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

Values = npt.NDArray[np.float64]
REDUCTION: Final = 2
"""One of this many trainings continues at each rung."""


def rungs(epochs: int, first: int, reduction: float = REDUCTION) -> list[int]:
    """Epochs at which trainings are compared: `first`, then each `reduction` times the one before, below `epochs`.

    Raises:
        InvalidValueError: the first epoch is not within the training, or the reduction is not above 1.
    """
    if not 1 <= first < epochs:
        raise InvalidValueError(f"the first comparison must be after epoch 1 to {epochs - 1}, not {first}")
    _check(reduction)
    found, at = [], float(first)
    while round(at) < epochs:
        found.append(round(at))
        at *= reduction
    return sorted({*found})


def successive_halving(values: Values, reduction: float = REDUCTION) -> npt.NDArray[np.int64]:
    """Train n networks together, and stop all but the best at each rung.

    Args:
        values: ``(n, r)``: value of each network at each rung, larger is better; NaN is worst.
        reduction: one of this many continues, rounded up.

    Returns:
        ``(n,)``: number of rungs that each network passed; those with r are trained to the end.

    Raises:
        InvalidValueError: the reduction is not above 1.
    """
    _check(reduction)
    passed = np.zeros(len(values), dtype=np.int64)
    alive = np.arange(len(values))
    for column in np.nan_to_num(values, nan=-np.inf).T:
        kept = int(np.ceil(len(alive) / reduction))
        alive = np.sort(alive[np.argsort(-column[alive], kind="stable")[:kept]])
        passed[alive] += 1
    return passed


class Asha:
    """Decides for each training at each rung whether it continues."""

    def __init__(self, reduction: float = REDUCTION) -> None:
        """Start without any training.

        Raises:
            InvalidValueError: the reduction is not above 1.
        """
        _check(reduction)
        self.reduction = reduction
        self._seen: dict[int, list[float]] = {}

    def goes_on(self, rung: int, value: float) -> bool:
        """Record a training at a rung, and return True if it is among the best share of those seen there.

        The first trainings of a rung continue if no earlier one is better.

        Args:
            rung: epoch, or any number of the rung.
            value: larger is better; NaN stops.
        """
        if np.isnan(value):
            return False
        seen = self._seen.setdefault(rung, [])
        seen.append(value)
        better = sum(other > value for other in seen)
        return better < max(len(seen) / self.reduction, 1.0)


def _check(reduction: float) -> None:
    if not reduction > 1.0:
        raise InvalidValueError(f"the reduction must be above 1, not {reduction:g}")
