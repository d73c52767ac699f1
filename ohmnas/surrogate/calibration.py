"""`Calibration`: the increasing map from scores to accuracies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.scales import Values

SMALLEST_STEP = 1e-9
"""Smallest distance between two knots; a line between closer knots would be too steep for floating point."""

_END = 0.2
"""Outer share of the range of scores; its mean slope is the slope beyond each end."""

_FAR, _HALVINGS = 4.0, 40
"""Largest distance beyond the ends for the inverse, in widths of the range, and number of bisections."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """An increasing map from scores to accuracies: linear between knots, curved beyond them.

    A search works at the upper end and beyond. With a flat map, only the standard deviation would tell networks apart
    there. Each end therefore continues with the mean slope of the outer `_END` of the range of scores, and bends
    towards 0 or 1: at distance d beyond an end that is r away from the bound, the map changes by r x / (1 + x) with
    x = slope d / r. The map is strictly increasing, with two exceptions: it is constant if there is only one knot,
    because the ranker found no order, and it is flat beyond an end at exactly 0 or 1.
    """

    scores: Values
    """``(k,)``, increasing."""
    values: Values
    """``(k,)``, increasing."""

    def __post_init__(self) -> None:
        """Check the knots.

        Raises:
            InvalidValueError: there is no knot, scores and values differ in number or do not increase, or values are
                not fractions.
        """
        if not len(self.scores) or len(self.scores) != len(self.values):
            raise InvalidValueError("a calibration needs at least one knot, with a score and a value each")
        if not ((np.diff(self.scores) > SMALLEST_STEP).all() and (np.diff(self.values) > 0).all()):
            raise InvalidValueError("the knots of a calibration must increase")
        if not (self.values[0] >= 0 and self.values[-1] <= 1):
            raise InvalidValueError(
                f"accuracies must be fractions from 0 to 1, not {self.values[0]:g} to {self.values[-1]:g}"
            )

    def __call__(self, scores: Values) -> Values:
        """``(n,)`` scores -> ``(n,)`` accuracies."""
        first, last = self.scores[0], self.scores[-1]
        reach = _END * (last - first)
        if reach == 0.0:
            return np.full(len(scores), self.values[0])
        mapped: Values = np.interp(scores, self.scores, self.values)
        before, after = np.maximum(first - scores, 0.0), np.maximum(scores - last, 0.0)
        if not (before.any() or after.any()):
            return mapped
        inner = np.interp([first + reach, last - reach], self.scores, self.values)
        low, high = self.values[0], self.values[-1]
        return (
            mapped
            - _towards(low, (inner[0] - low) / reach, before)
            + _towards(1.0 - high, (high - inner[1]) / reach, after)
        )

    def inverse(self, values: Values) -> Values:
        """``(n,)`` accuracies -> ``(n,)`` scores: the inverse, within floating-point precision.

        Accuracies that the map reaches only more than `_FAR` widths beyond an end get the score at this distance. A
        constant map has no inverse: all results are the score of its knot.
        """
        span = float(self.scores[-1] - self.scores[0])
        low = np.full(len(values), self.scores[0] - _FAR * span)
        high = np.full(len(values), self.scores[-1] + _FAR * span)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            below = self(middle) < values
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        scores: Values = (low + high) / 2.0
        return scores


def _towards(room: float, slope: float, distance: Values) -> Values:
    """``(n,)``: height, in [0, room], of a curve that starts with this slope and approaches `room`."""
    rise = slope * distance
    return room * (rise / (room + rise)) if room > 0.0 else np.zeros(len(distance))
