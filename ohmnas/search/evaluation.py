"""`Evaluation`: what is known of a population after it was evaluated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is known of n architectures, each ``(n,)`` but `losses`."""

    objective: Values
    """Larger is better."""
    shortfall: Values
    """By how much the predictions miss the hard limits on them, added up; 0 is feasible."""
    accuracy_1d: Values
    accuracy_1d_std: Values
    avm: Values
    losses: Values
    """``(n, k)``: what a Pareto front minimises, about 0 to 1 each; k is 0 where none is asked for."""

    def __len__(self) -> int:
        return len(self.objective)

    def take(self, rows: npt.NDArray[np.intp]) -> Evaluation:
        """Only these rows, in this order."""
        return Evaluation(*(getattr(self, name)[rows] for name in self.__slots__))

    def join(self, *others: Evaluation) -> Evaluation:
        """These rows, then the others'."""
        parts = (self, *others)
        return Evaluation(*(np.concatenate([getattr(part, name) for part in parts]) for name in self.__slots__))

    @property
    def feasible(self) -> npt.NDArray[np.bool_]:
        """``(n,)``: which meet the hard limits on predictions."""
        met: npt.NDArray[np.bool_] = self.shortfall == 0
        return met

    @property
    def minimised(self) -> Values:
        """``(n, k)``: the losses of a front; where none is wanted, the objective turned round."""
        return self.losses if self.losses.shape[1] else -self.objective[:, None]

    def order(self) -> npt.NDArray[np.intp]:
        """Best first: feasible ones by objective, then the others by how little they miss (Deb, 2000)."""
        return np.lexsort((-self.objective, self.shortfall))
