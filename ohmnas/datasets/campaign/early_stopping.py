"""Early stopping of a campaign's training runs by comparison: the stopping variant of ASHA (Li et al., 2020).

A training run stops at a rung unless its loss is among the lowest 1 / `reduction` of all losses seen at this rung. When
a training run is queued, it gets its limits: the largest losses with which it may continue. Workers need not
communicate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import InvalidValueError

REDUCTION: Final = 2
"""Default: one in this many training runs continues after each rung."""
FIRST: Final = 4
"""The first rung is after 1 / `FIRST` of the epochs."""


def rungs(epochs: int, first: int, reduction: float = REDUCTION) -> list[int]:
    """Return the epochs at which training runs are compared.

    The epochs are `first`, multiplied by `reduction` at each step, below `epochs`.

    Raises:
        InvalidValueError: the first epoch is not within a training run, or the reduction is not above 1.
    """
    if not 1 <= first < epochs:
        raise InvalidValueError(f"the first comparison must be after epoch 1 to {epochs - 1}, not {first}")
    check_reduction(reduction)
    found, at = [], float(first)
    while round(at) < epochs:
        found.append(round(at))
        at *= reduction
    return sorted({*found})


def check_reduction(reduction: float) -> None:
    """Check a reduction.

    Raises:
        InvalidValueError: the reduction is not a number above 1.
    """
    if not 1.0 < reduction < math.inf:
        raise InvalidValueError(f"the reduction must be a number above 1, not {reduction:g}")


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Epochs at which the training runs of a campaign are compared, and the share that continues."""

    epochs: int
    """Epochs of a whole training run."""
    reduction: float = REDUCTION
    """One in this many training runs continues after each rung."""

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            InvalidValueError: the training runs are too short, or the reduction is not above 1.
        """
        if self.epochs < FIRST:
            raise InvalidValueError(
                f"training runs of {self.epochs} {'epoch' if self.epochs == 1 else 'epochs'} are too short to be "
                f"stopped early; they need at least {FIRST} epochs"
            )
        check_reduction(self.reduction)

    @property
    def rungs(self) -> list[int]:
        """Epochs at which training runs are compared."""
        return rungs(self.epochs, self.epochs // FIRST, self.reduction)


@dataclass(frozen=True, slots=True)
class Seen:
    """Losses of all training runs that reached a rung, for each chip and rung."""

    stopping: EarlyStopping
    losses: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    """Chip and rung -> losses."""

    def add(self, rows: Iterable[Row]) -> None:
        """Add the losses of rows at the rungs; chips that share a training run have the same losses."""
        for row in rows:
            curve = schema.points(str(row["loss_curve"] or ""))
            for rung in self.stopping.rungs:
                if rung in curve:
                    self.losses.setdefault((str(row["hardware"]), rung), []).append(curve[rung])

    def limits(self, hardware: str) -> Limits:
        """Return the limits for the next training run on a chip."""
        return Limits({rung: self._limit(hardware, rung) for rung in self.stopping.rungs})

    def _limit(self, hardware: str, rung: int) -> float:
        losses = sorted(self.losses.get((hardware, rung), []))
        place = math.ceil(max((len(losses) + 1) / self.stopping.reduction, 1.0))
        return losses[place - 1] if place <= len(losses) else math.inf


@dataclass(slots=True)
class Limits:
    """Largest losses with which a training run continues. Losses are means over an epoch, rounded as in the store."""

    of_epoch: Mapping[int, float]
    """Rung -> largest loss."""
    reason: str = ""
    """Reason why the training run was stopped; empty if it was not."""

    def stops(self, epoch: int, loss: float) -> bool:
        """Return True if a training run must stop after this epoch, and set `reason`."""
        limit = self.of_epoch.get(epoch, math.inf)
        if schema.points(schema.curve({epoch: loss}))[epoch] <= limit:
            return False
        self.reason = f"stopped after epoch {epoch}: its loss of {loss:.4g} was above {limit:.4g}"
        return True
