"""`Mixture`: weights of boosted trees and Gaussian processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.scales import Values

LEAST_SPREAD: Final = 1e-9
"""Standard deviations up to this value count as 0: all scores are equal."""

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights of the trees and of the process: in the score, the logarithm of the standard deviation and the AVM."""

    spreads: Pair
    """Standard deviations of the ranker's scores and of the process's predicted ranks; scores are divided by them."""
    shares: Pair
    """Share of the trees in the standard deviation and in the AVM, 0 to 1; the rest is the share of the process."""
    means: Pair
    """Means of both labels, on their scales; trees predict the difference from them."""
    lowest: Pair
    """Smallest value of each label, on its scale. Predictions are clipped to the measured range."""
    highest: Pair
    """Largest value of each label, on its scale."""

    def __post_init__(self) -> None:
        """Check the weights.

        Raises:
            InvalidValueError: a number is not finite or out of its range, or a lowest value is above the highest.
        """
        if not all(map(math.isfinite, (*self.spreads, *self.shares, *self.means, *self.lowest, *self.highest))):
            raise InvalidValueError("the numbers of a mixture must be finite")
        if not (min(self.spreads) > LEAST_SPREAD and 0.0 <= min(self.shares) <= max(self.shares) <= 1.0):
            raise InvalidValueError(f"spreads must be above {LEAST_SPREAD:g} and shares from 0 to 1")
        if not all(low <= high for low, high in zip(self.lowest, self.highest, strict=True)):
            raise InvalidValueError("the lowest labels are above the highest")

    def scores(self, ranked: Values, expected: Values) -> Values:
        """``(n,)`` scores of the ranker and ``(n,)`` ranks predicted by the process -> ``(n,)`` scores."""
        trees, process = self.spreads
        scores: Values = ranked / trees + expected / process
        return scores

    def labels(self, trees: Values, expected: Values) -> Values:
        """``(n, 2)`` predictions of trees, with the means, and ``(n, 2)`` of the process -> ``(n, 2)`` labels."""
        shares = np.array(self.shares)
        return np.clip(shares * trees + (1.0 - shares) * expected, self.lowest, self.highest)
