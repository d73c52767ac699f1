"""`FurtherTarget`: predicts a target beyond the default ones, relative to the accuracy or the standard deviation.

A network's accuracy after a month differs little from its accuracy after a day, and standard deviations at two times
are close. Trees therefore learn only a difference: for accuracies, the difference from the 1-day accuracy; for standard
deviations, the logarithm of their ratio to the standard deviation after a day. Differences of accuracies are on the
scale of the AVM (`scales`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.scales import Scales, Values
from ohmnas.surrogate.trees import Trees
from ohmnas.targets import ACCURACY, DEFAULTS, SPREAD, TARGETS, Target


@dataclass(frozen=True, slots=True)
class FurtherTarget:
    """One target: trees that predict the difference from its base, and residuals for intervals."""

    target: Target
    trees: Trees
    """Predict the difference, minus its mean, from the features and the score."""
    mean: float
    """Mean difference of the training rows."""
    lowest: float
    """Smallest difference of a training row; predictions are clipped to the measured range."""
    highest: float
    """Largest difference of a training row."""
    residuals: Residuals

    def __post_init__(self) -> None:
        """Check values from a file.

        Raises:
            InvalidValueError: the target is a default target, or its differences are not finite or not in order.
        """
        if self.target in DEFAULTS:
            raise InvalidValueError(f"{self.target.name} is a default target")
        if not (np.isfinite([self.mean, self.lowest, self.highest]).all() and self.lowest <= self.highest):
            raise InvalidValueError(f"the differences of {self.target.name} must be finite and in order")

    def values(self, differences: Values, defaults: Values, scales: Scales) -> Values:
        """``(n,)``: the target as a fraction.

        Args:
            differences: ``(n,)``: sums of the trees.
            defaults: ``(n, 3)``: default targets, as fractions.
            scales: scales of the surrogate.
        """
        moved = np.clip(differences + self.mean, self.lowest, self.highest)
        return from_differences(self.target, moved, defaults, scales)


def base_column(target: Target) -> int:
    """Return the column of the target's base in `DEFAULTS`."""
    return DEFAULTS.index(SPREAD if target.scale == "log" else ACCURACY)


def to_differences(target: Target, values: Values, defaults: Values, scales: Scales) -> Values:
    """``(n,)``: differences from the base, for ``(n,)`` values and ``(n, 3)`` default targets, all as fractions."""
    base = defaults[:, base_column(target)]
    if target.scale == "log":
        floor = scales.std_floor
        return np.log(np.maximum(values, floor)) - np.log(np.maximum(base, floor))
    return scales.variations(values - base)


def from_differences(target: Target, differences: Values, defaults: Values, scales: Scales) -> Values:
    """``(n,)``: the inverse of `to_differences`, within the range of the target."""
    base = defaults[:, base_column(target)]
    if target.scale == "log":
        floor = scales.std_floor
        return np.clip(np.exp(np.log(np.maximum(base, floor)) + differences), floor, target.high)
    return np.clip(base + scales.variations_back(differences), target.low, target.high)


def to_scale(target: Target, values: Values, std_floor: float) -> Values:
    """``(n,)``: values on the scale of residuals: logarithms of standard deviations, accuracies as they are."""
    return np.log(np.maximum(values, std_floor)) if target.scale == "log" else values


def from_scale(target: Target, values: Values, std_floor: float) -> Values:
    """``(n,)``: the inverse of `to_scale`, within the range of the target."""
    if target.scale == "log":
        return np.clip(np.exp(values), std_floor, target.high)
    return np.clip(values, target.low, target.high)


def learnable(names: list[str]) -> list[str]:
    """Return the names that are targets beyond the default ones, in the order of `TARGETS`."""
    return [name for name, one in TARGETS.items() if one not in DEFAULTS and name in names]
