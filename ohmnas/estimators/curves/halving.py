"""Early stopping of training runs by comparison: successive halving, and its asynchronous form for campaigns.

Successive halving (Jamieson and Talwalkar, 2016) trains a batch of networks to each rung and keeps the best share.
ASHA (Li et al., 2020) decides for each training run alone: the run stops at a rung unless it is among the best share of
all training runs that reached the rung so far. This is the stopping variant. The promotion variant pauses training runs
and needs a checkpoint of each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign.early_stopping import REDUCTION, check_reduction, rungs

__all__ = ["REDUCTION", "Asha", "hyperband", "rungs", "successive_halving"]

Values = npt.NDArray[np.float64]


def successive_halving(values: Values, reduction: float = REDUCTION) -> npt.NDArray[np.int64]:
    """Train n networks together, and stop all but the best at each rung.

    Args:
        values: ``(n, r)``: value of each network at each rung; larger is better, and NaN is worst.
        reduction: 1 / `reduction` of the networks continue, rounded up.

    Returns:
        ``(n,)``: number of rungs that each network passed; networks that passed all r are trained to the end.

    Raises:
        InvalidValueError: the reduction is not above 1.
    """
    check_reduction(reduction)
    passed = np.zeros(len(values), dtype=np.int64)
    alive = np.arange(len(values))
    for column in np.nan_to_num(values, nan=-np.inf).T:
        kept = int(np.ceil(len(alive) / reduction))
        alive = np.sort(alive[np.argsort(-column[alive], kind="stable")[:kept]])
        passed[alive] += 1
    return passed


def hyperband(values: Values, reduction: float = REDUCTION) -> npt.NDArray[np.int64]:
    """Divide n networks among brackets of successive halving that start at different rungs (Li et al., 2018).

    The numbers of networks are such that all brackets take about the same time; in most cases, a bracket that skips
    more rungs has fewer networks. The last bracket skips
    all rungs and trains all its networks to the end.

    Args:
        values: as in `successive_halving`; networks in random order.
        reduction: as in `successive_halving`.

    Returns:
        As in `successive_halving`; skipped rungs count as passed.

    Raises:
        InvalidValueError: the reduction is not above 1.
    """
    check_reduction(reduction)
    brackets = values.shape[1] + 1
    weights = np.array([reduction ** (brackets - 1 - skipped) / (brackets - skipped) for skipped in range(brackets)])
    ends = np.rint(np.cumsum(weights) / weights.sum() * len(values)).astype(int)
    passed = np.zeros(len(values), dtype=np.int64)
    for skipped, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        passed[start:end] = skipped + successive_halving(values[start:end, skipped:], reduction)
    return passed


class Asha:
    """Decides for each training run at each rung whether it continues."""

    def __init__(self, reduction: float = REDUCTION) -> None:
        """Start with no recorded training runs.

        Raises:
            InvalidValueError: the reduction is not above 1.
        """
        check_reduction(reduction)
        self.reduction = reduction
        self._seen: dict[int, list[float]] = {}

    def continues(self, rung: int, value: float) -> bool:
        """Record a training run at a rung; return True if it is among the best 1 / `reduction` at the rung.

        The first training runs at a rung continue if no earlier run is better.

        Args:
            rung: number that identifies the rung, such as its epoch.
            value: larger is better; NaN stops the training run and is not recorded.
        """
        if np.isnan(value):
            return False
        seen = self._seen.setdefault(rung, [])
        seen.append(value)
        better = sum(other > value for other in seen)
        return better < max(len(seen) / self.reduction, 1.0)
