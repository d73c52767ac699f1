"""`Evaluation`: predictions, objective and violations for a population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.estimate import Estimate

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluation of n architectures."""

    objective: Values
    """``(n,)``: larger is better."""
    shortfall: Values
    """``(n,)``: summed violation of the hard limits on predictions; 0 is feasible."""
    estimate: Estimate
    losses: Values
    """``(n, k)``: values that a Pareto front minimises, about 0 to 1 each; k is 0 without a front."""

    def __len__(self) -> int:
        return len(self.objective)

    def take(self, rows: npt.NDArray[np.intp]) -> Evaluation:
        """Return these rows, in this order."""
        return Evaluation(self.objective[rows], self.shortfall[rows], self.estimate.take(rows), self.losses[rows])

    def join(self, *others: Evaluation) -> Evaluation:
        """Append the rows of other evaluations."""
        parts = (self, *others)
        return Evaluation(
            np.concatenate([part.objective for part in parts]),
            np.concatenate([part.shortfall for part in parts]),
            self.estimate.join([other.estimate for other in others]),
            np.concatenate([part.losses for part in parts]),
        )

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for rows that meet the hard limits on predictions."""
        met: npt.NDArray[np.bool_] = self.shortfall == 0
        return met

    @property
    def minimised(self) -> Values:
        """``(n, k)``: losses of the front, or the negated objective without a front."""
        return self.losses if self.losses.shape[1] else -self.objective[:, None]

    def order(self) -> npt.NDArray[np.intp]:
        """Rows, best first: feasible ones by objective, then the others by violation (Deb, 2000)."""
        return np.lexsort((-self.objective, self.shortfall))
