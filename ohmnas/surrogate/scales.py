"""`Scales`: training scales of the targets, on which equal steps are equally important.

Standard deviations span decades, so their scale is logarithmic. Accuracy variations also span decades, but on both
sides of 0. Their scale is arsinh(AVM / unit): nearly linear for AVMs below the unit, logarithmic above. On a linear
scale, networks that lose all accuracy would dominate the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

Values = npt.NDArray[np.float64]

AVM_UNIT: Final = 0.03
"""Largest unit of the AVM, as a fraction. On `digits`, surrogates with units from 0.01 to 0.05 identify the 10 % of
networks with the best AVM equally well."""
LEAST_UNIT: Final = 1e-4
"""Smallest unit of the AVM, as a fraction: no table resolves 0.01 percentage points."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Converts targets from fractions to training scales and back."""

    std_floor: float
    """Smallest standard deviation that the table can resolve, as a fraction."""
    avm_unit: float = AVM_UNIT
    """AVM up to which the scale is nearly linear, as a fraction."""

    _ends: Values = field(init=False, repr=False, compare=False)
    """``(2, 3)``: least and largest values on the scales."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InvalidValueError: a number is outside its range.
        """
        if not 0.0 < self.std_floor <= 1.0:
            raise InvalidValueError(f"std_floor is {self.std_floor}; it must be above 0 and at most 1")
        if not LEAST_UNIT <= self.avm_unit <= 1.0:
            raise InvalidValueError(f"avm_unit is {self.avm_unit}; it must be from {LEAST_UNIT:g} to 1")
        object.__setattr__(self, "_ends", self.to(np.array([[0.0, 0.0, -1.0], [1.0, 1.0, 1.0]])))

    def to(self, labels: Values) -> Values:
        """Convert ``(n, 3)`` accuracies, standard deviations and AVMs, fractions in the order of `DEFAULT_NAMES`."""
        accuracy, std, avm = labels.T
        return np.column_stack([accuracy, np.log(np.maximum(std, self.std_floor)), self.variations(avm)])

    def back(self, values: Values) -> Values:
        """Convert ``(n, 3)`` values from the scales back to fractions: deviations to at most 1, AVMs to -1..1."""
        accuracy, log_std, avm = values.T
        variation = np.clip(self.variations_back(avm), -1.0, 1.0)  # rounding may push values slightly out of range
        return np.column_stack([accuracy, np.minimum(np.exp(log_std), 1.0), variation])

    def bounded(self, values: Values) -> Values:
        """Clip ``(n, 3)`` values on the scales: accuracies to 0..1, deviations to `std_floor`..1, AVMs to -1..1."""
        return np.clip(values, *self._ends)

    def variations(self, values: Values) -> Values:
        """Convert differences between accuracies (fractions, any shape) to the scale of the AVM."""
        return np.arcsinh(values / self.avm_unit)

    def variations_back(self, values: Values) -> Values:
        """Convert values on the scale of the AVM back to fractions; the inverse of `variations`."""
        return self.avm_unit * np.sinh(values)


def avm_unit(avms: Values) -> float:
    """Return the unit for a table's AVMs: their median magnitude, clipped to `LEAST_UNIT`..`AVM_UNIT`.

    Networks trained close to convergence lose little accuracy over a month. With a fixed unit, the scale would be
    linear for nearly all of them, and the few large AVMs would dominate the fit.
    """
    return float(np.clip(np.median(np.abs(avms)), LEAST_UNIT, AVM_UNIT))
