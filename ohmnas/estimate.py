"""`Estimate`: predicted targets of a population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.targets import Target, target

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Predicted targets of n architectures."""

    targets: tuple[Target, ...]
    values: Values
    """``(n, t)``: one column per target, in the units of tables."""

    def __post_init__(self) -> None:
        """Check shape and values.

        Raises:
            InvalidValueError: the number of columns differs from the number of targets, or a value is impossible for
                its target.
        """
        if self.values.ndim != 2 or self.values.shape[1] != len(self.targets):
            raise InvalidValueError(
                f"estimates of n architectures must have the shape (n, {len(self.targets)}), one column per target, "
                f"not {self.values.shape}"
            )
        if not len(self.values):
            return
        ends = zip(self.targets, self.values.min(axis=0).tolist(), self.values.max(axis=0).tolist(), strict=True)
        for one, least, most in ends:
            if not (one.low <= least and most <= one.high):  # also false for NaN
                beyond = most if one.low <= least else least
                raise InvalidValueError(
                    f"{one.name} is between {one.low:g} and {one.high:g}, so an estimate of {beyond:g} is impossible"
                )

    @classmethod
    def of(cls, **columns: npt.ArrayLike) -> Estimate:
        """Create an estimate from one column per target: ``Estimate.of(accuracy_1d=..., avm=...)``.

        Raises:
            InvalidValueError: there are no columns.
            UnknownNameError: a target is unknown.
        """
        if not columns:
            raise InvalidValueError("an estimate needs at least one column")
        return cls(tuple(target(name) for name in columns), np.column_stack([*map(np.asarray, columns.values())]))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the targets, in the order of the columns."""
        return tuple(one.name for one in self.targets)

    def __contains__(self, name: object) -> bool:
        return any(one.name == name for one in self.targets)

    def __getitem__(self, name: str) -> Values:
        """``(n,)``: the values of one target.

        Raises:
            InvalidValueError: the target is not predicted.
        """
        for column, one in enumerate(self.targets):
            if one.name == name:
                values: Values = self.values[:, column]
                return values
        raise InvalidValueError(f"this estimate has no {name}; it has {', '.join(self.names)}")

    def row(self, place: int) -> dict[str, float]:
        """Return the values of one architecture: name of the target -> value."""
        return dict(zip(self.names, self.values[place].tolist(), strict=True))

    def take(self, rows: npt.NDArray[np.intp]) -> Estimate:
        """Return an estimate with these rows, in this order."""
        return self._with(self.values[rows])

    def join(self, others: Sequence[Estimate]) -> Estimate:
        """Return an estimate with the rows of other estimates appended.

        Raises:
            InvalidValueError: the targets differ.
        """
        if any(other.targets != self.targets for other in others):
            raise InvalidValueError(f"the estimates to append must have the targets {', '.join(self.names)}")
        return self._with(np.concatenate([self.values, *(other.values for other in others)]))

    def _with(self, values: Values) -> Estimate:
        """Return an estimate without checking the values again: a search calls this several times per generation."""
        estimate = object.__new__(Estimate)
        object.__setattr__(estimate, "targets", self.targets)
        object.__setattr__(estimate, "values", values)
        return estimate
