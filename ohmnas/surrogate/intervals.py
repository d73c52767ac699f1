"""Prediction intervals from held-out residuals, by conformal prediction.

This is normalised conformal prediction (Papadopoulos et al., 2008) on cross-validated residuals. Residuals are divided
by a local scale, because predictions near chance and near perfection are more precise than those in between. If new
architectures are drawn like the measured ones, intervals from quantiles of the normalised residuals have the stated
coverage, whatever the distribution of the residuals (Vovk et al., 2005). An interval needs only one interpolation, so
it adds almost no time to a search.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

Values = npt.NDArray[np.float64]

KNOTS = 12
"""Number of knots of the local scale."""
NEIGHBOURS = 0.15
"""Share of the rows, neighbours in rank, that sets a local scale."""
FEWEST_NEIGHBOURS = 10
"""Smallest number of these rows; half as many at both ends, where they lie on one side."""
MOST_RESIDUALS = 999
"""Largest number of normalised residuals kept, evenly spaced in rank."""
SMALLEST_SCALE = 1e-6
"""Smallest local scale."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Distribution of labels minus predictions, as a function of the position of the prediction."""

    positions: Values
    """``(k,)``, increasing: positions of the knots."""
    scales: Values
    """``(k,)``, above 0: mean absolute residual around each knot."""
    normalised: Values
    """``(q,)``, not decreasing: residuals divided by their local scale."""

    def __post_init__(self) -> None:
        """Check values from a file.

        Raises:
            InvalidValueError: knots are missing or do not increase, a scale is not above 0, or residuals are missing or
                unsorted.
        """
        if not len(self.positions) or len(self.positions) != len(self.scales):
            raise InvalidValueError("intervals need at least one knot, with a position and a scale each")
        if not ((np.diff(self.positions) > 0).all() and (self.scales > 0).all()):
            raise InvalidValueError("the knots of intervals must increase, with scales above 0")
        if not len(self.normalised) or (np.diff(self.normalised) < 0).any():
            raise InvalidValueError("the residuals of intervals are missing or not sorted")

    @classmethod
    def fit(cls, positions: Values, residuals: Values) -> Residuals:
        """Fit to held-out rows.

        Args:
            positions: ``(n,)`` position of each prediction; predictions at close positions are about equally uncertain.
            residuals: ``(n,)`` label minus prediction.
        """
        order = np.argsort(positions, kind="stable")
        n = len(order)
        width = min(max(round(NEIGHBOURS * n), FEWEST_NEIGHBOURS), n)
        centres = np.unique(np.linspace(0, n - 1, min(KNOTS, n)).round().astype(np.intp))
        # Windows shrink towards both ends to stay centred. The scale at the top then depends on the best rows only.
        edges = np.minimum(centres, n - 1 - centres)
        halves = np.clip(edges, min(FEWEST_NEIGHBOURS, width) // 2, width // 2)
        starts, ends = np.maximum(centres - halves, 0), np.minimum(centres + halves + 1, n)
        sums = np.concatenate([[0.0], np.cumsum(np.abs(residuals[order]))])
        scales = np.maximum((sums[ends] - sums[starts]) / (ends - starts), SMALLEST_SCALE)
        knots, first = np.unique(positions[order][centres], return_index=True)
        scales = scales[first]
        normalised = np.sort(residuals / np.interp(positions, knots, scales))
        if n > MOST_RESIDUALS:
            normalised = normalised[np.linspace(0, n - 1, MOST_RESIDUALS).round().astype(np.intp)]
        return cls(knots, scales, normalised)

    def quantile(self, positions: Values, probability: float) -> Values:
        """``(n,)``: value that residuals at these positions stay below with this probability.

        The rank is rounded outwards, so an interval has at least its nominal coverage. With n residuals, probabilities
        below 1 / (n + 1) or above n / (n + 1) give the outermost residual.

        Args:
            positions: ``(n,)``.
            probability: above 0, below 1.

        Raises:
            InvalidValueError: the probability is out of range.
        """
        if not 0.0 < probability < 1.0:
            raise InvalidValueError(f"a probability must be between 0 and 1, not {probability}")
        n = len(self.normalised)
        exact = (n + 1) * probability
        rank = math.ceil(exact - 1e-9) if probability >= 0.5 else math.floor(exact + 1e-9)
        scales: Values = np.interp(positions, self.positions, self.scales)
        return float(self.normalised[min(max(rank, 1), n) - 1]) * scales
