"""How far labels lie from predictions: conformal bounds, learned from rows that the models had not seen.

Normalised conformal prediction (Papadopoulos et al., 2008) on cross-validated residuals: residuals are divided by a
local scale, because a network near chance or near perfection is predicted better than one between, and the quantiles of
what remains are those of a new architecture, whatever their distribution (Vovk et al., 2005). Nothing but one
interpolation is left to do for a prediction, so bounds cost a search next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

Values = npt.NDArray[np.float64]

KNOTS = 12
"""Of the local scale."""
NEIGHBOURS = 0.15
"""Share of the rows, nearest by position, whose residuals make a local scale; at least `FEWEST_NEIGHBOURS`."""
FEWEST_NEIGHBOURS = 10
MOST_RESIDUALS = 999
"""Normalised residuals that are kept: evenly spaced in rank, where there are more."""
SMALLEST_SCALE = 1e-6
"""Of a residual that may be divided by."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """What labels minus predictions are like, along a position that says where a prediction stands."""

    positions: Values
    """``(k,)``, increasing: knots of the scale."""
    scales: Values
    """``(k,)``, above 0: mean absolute residual around each knot."""
    normalised: Values
    """``(q,)``, not decreasing: residuals over their local scale."""

    def __post_init__(self) -> None:
        """Check what a file may have brought.

        Raises:
            InvalidValueError: knots do not increase, a scale is not above 0, or residuals are missing or unsorted.
        """
        if not len(self.positions) or len(self.positions) != len(self.scales):
            raise InvalidValueError("intervals have as many positions as scales for their knots, and at least one")
        if not ((np.diff(self.positions) > 0).all() and (self.scales > 0).all()):
            raise InvalidValueError("the knots of intervals do not increase, or a scale is not above 0")
        if not len(self.normalised) or (np.diff(self.normalised) < 0).any():
            raise InvalidValueError("the residuals of intervals are missing or not sorted")

    @classmethod
    def fit(cls, positions: Values, residuals: Values) -> Residuals:
        """Learn from held-out rows.

        Args:
            positions: ``(n,)`` where each prediction stands; nearby ones are about equally uncertain.
            residuals: ``(n,)`` label minus prediction.
        """
        order = np.argsort(positions, kind="stable")
        n = len(order)
        width = min(max(round(NEIGHBOURS * n), FEWEST_NEIGHBOURS), n)
        centres = np.unique(np.linspace(0, n - 1, min(KNOTS, n)).round().astype(np.intp))
        starts = np.clip(centres - width // 2, 0, n - width)
        sums = np.concatenate([[0.0], np.cumsum(np.abs(residuals[order]))])
        scales = np.maximum((sums[starts + width] - sums[starts]) / width, SMALLEST_SCALE)
        knots, first = np.unique(positions[order][centres], return_index=True)
        scales = scales[first]
        normalised = np.sort(residuals / np.interp(positions, knots, scales))
        if n > MOST_RESIDUALS:
            normalised = normalised[np.linspace(0, n - 1, MOST_RESIDUALS).round().astype(np.intp)]
        return cls(knots, scales, normalised)

    def quantile(self, positions: Values, probability: float) -> Values:
        """``(n,)``: what residuals at these positions stay below, with this probability.

        The rank is rounded outwards, so that a bound of n residuals holds at least as often as it says; beyond what n
        residuals can say (1 in n + 1), it is their outermost.

        Args:
            positions: ``(n,)``.
            probability: above 0, below 1.

        Raises:
            InvalidValueError: it is not.
        """
        if not 0.0 < probability < 1.0:
            raise InvalidValueError(f"a probability lies between 0 and 1, not {probability}")
        n = len(self.normalised)
        exact = (n + 1) * probability
        rank = math.ceil(exact - 1e-9) if probability >= 0.5 else math.floor(exact + 1e-9)
        scales: Values = np.interp(positions, self.positions, self.scales)
        return float(self.normalised[min(max(rank, 1), n) - 1]) * scales
