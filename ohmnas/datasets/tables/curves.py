"""`LearningCurves`: the learning curves of a table's rows as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.errors import InvalidValueError

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LearningCurves:
    """Training losses and validation accuracies of n training runs; NaN where a training run has no value."""

    losses: Values
    """``(n, e)``: mean training loss of each epoch, in nats; column 0 is the first epoch."""
    accuracies: Values
    """``(n, k)``: accuracy of one chip after a day, as a fraction, at each of `read_after`."""
    read_after: npt.NDArray[np.int64]
    """``(k,)``: epochs after which accuracies were read, increasing."""
    epochs: int
    """Epochs of a whole training run."""

    def __post_init__(self) -> None:
        """Check that the arrays fit together.

        Raises:
            InvalidValueError: the shapes do not match, or an epoch is outside the training run.
        """
        n, seen = self.losses.shape
        if self.accuracies.shape != (n, len(self.read_after)):
            raise InvalidValueError(
                f"accuracies of {n} learning curves at {len(self.read_after)} epochs cannot have the shape "
                f"{self.accuracies.shape}"
            )
        after = self.read_after
        if (np.diff(after) <= 0).any() or (after < 1).any() or (after > self.epochs).any() or seen > self.epochs:
            raise InvalidValueError(f"epochs of learning curves must increase from 1 to at most {self.epochs}")

    @classmethod
    def of(cls, frame: pd.DataFrame) -> LearningCurves:
        """Return the curves of measured rows at one fidelity.

        Args:
            frame: rows of a table, as `MeasuredTable.select` returns them.

        Raises:
            InvalidValueError: the rows differ in their number of epochs, or a row has no valid learning curve.
        """
        lengths = sorted({*frame["epochs"].tolist()})
        if len(lengths) != 1:
            raise InvalidValueError(
                f"learning curves need rows with the same number of epochs, but these have {lengths or 'none'}"
            )
        losses, accuracies = (_points(frame, column) for column in schema.CURVE_COLUMNS)
        seen = max(max(points) for points in losses)
        read_after = np.array(sorted({epoch for points in accuracies for epoch in points}), dtype=np.int64)
        return cls(_array(losses, range(1, seen + 1)), _array(accuracies, read_after.tolist()), read_after, lengths[0])

    def __len__(self) -> int:
        return len(self.losses)

    @property
    def trained(self) -> npt.NDArray[np.int64]:
        """``(n,)``: number of epochs of each training run; fewer than `epochs` if it stopped early."""
        known = np.isfinite(self.losses)
        return np.asarray((known * np.arange(1, known.shape[1] + 1)).max(axis=1, initial=0))

    def until(self, epoch: int) -> LearningCurves:
        """Return the values that were known after an epoch.

        Raises:
            InvalidValueError: the epoch is outside the training run.
        """
        if not 1 <= epoch <= self.epochs:
            raise InvalidValueError(f"the epoch must be from 1 to {self.epochs}, not {epoch}")
        seen = self.read_after <= epoch
        return LearningCurves(self.losses[:, :epoch], self.accuracies[:, seen], self.read_after[seen], self.epochs)

    def take(self, rows: npt.NDArray[np.intp]) -> LearningCurves:
        """Return the curves of these rows, in this order."""
        return LearningCurves(self.losses[rows], self.accuracies[rows], self.read_after, self.epochs)


def last_seen(values: Values) -> Values:
    """``(n,)``: the last known value of each of ``(n, k)`` curves; NaN if none is known."""
    known = np.isfinite(values)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    last = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), values[np.arange(len(values)), last], np.nan)


def _points(frame: pd.DataFrame, column: str) -> list[dict[int, float]]:
    """Return epoch -> value for each row.

    Raises:
        InvalidValueError: a row has no value, or its text is not a learning curve.
    """
    found = []
    for row, text in enumerate(frame[column]):
        try:
            points = schema.points(text) if isinstance(text, str) else {}
        except ValueError as error:
            raise InvalidValueError(f"row {row + 1} has no learning curve in {column}: {error}") from error
        if not points:
            raise InvalidValueError(
                f"row {row + 1} has no {column}: rows before protocol 4 have no curves, and training runs of one "
                "epoch or with aihwkit have no accuracy_curve"
            )
        found.append(points)
    return found


def _array(curves: list[dict[int, float]], epochs: range | list[int]) -> Values:
    return np.array([[points.get(epoch, np.nan) for epoch in epochs] for points in curves], dtype=np.float64)
