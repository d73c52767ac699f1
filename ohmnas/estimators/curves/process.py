"""A Gaussian process over the learning curves of many architectures.

It learns from finished training runs how the first epochs, parameters and MACs of a network relate to its labels. It
predicts normal scores of the labels, not the labels themselves: in a table, half of the networks are close to the best
accuracy and a few are at chance level, and these few would dominate a process on plain accuracies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from ohmnas.datasets.tables.curves import LearningCurves
from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate.features import GROUPS, Features
from ohmnas.surrogate.fit.kernel import Kernel
from ohmnas.surrogate.fit.process import condition
from ohmnas.surrogate.process import GaussianProcess
from ohmnas.surrogate.scales import Values
from ohmnas.targets import Target, target

FEWEST_ROWS: Final = 10
"""Smallest number of finished training runs to learn from."""
MOST_LOSSES: Final = 12
"""Largest number of losses used as features. Their epochs are spaced at about equal ratios; losses in between add
little."""
_LOSSES, _ACCURACIES, _SIZE = (GROUPS.index(name) for name in ("structure", "noise", "chip"))
"""Feature groups (`surrogate.fit.kernel`). Each has one length scale, which starts at 8 standard deviations."""
_SMALLEST_LOSS: Final = 1e-3
_SMALLEST_ERROR: Final = 5e-3
"""Added to error rates before the logarithm, because an accuracy of 1 on a few hundred images is not exact."""


@dataclass(frozen=True, slots=True)
class CurveProcess:
    """Predicts targets from learning curves up to an epoch."""

    space: Space
    epoch: int
    """Epoch after which curves are cut."""
    read_after: tuple[int, ...]
    """Epochs whose accuracies are features."""
    targets: tuple[Target, ...]
    process: GaussianProcess
    """Predicts normal scores."""
    scores: Values
    """``(n, t)``: normal scores of the labels, each column sorted."""
    labels: Values
    """``(n, t)``: labels, each column sorted."""

    @classmethod
    def fit(
        cls,
        space: Space,
        population: Population,
        curves: LearningCurves,
        labels: Mapping[str, Values],
        epoch: int,
        seed: int = 0,
    ) -> Self:
        """Learn from finished training runs.

        Args:
            space: space of the networks.
            population: ``(n, g)``: trained networks.
            curves: their learning curves.
            labels: target -> ``(n,)`` measured values.
            epoch: epoch after which curves of new networks are cut.
            seed: seed of the row sample, which is drawn if there are too many rows.

        Raises:
            InvalidValueError: there are too few rows, the numbers of networks, curves and labels differ, there are no
                labels, a curve has no first value, or the epoch is outside the training run.
            UnknownNameError: a target is unknown.
        """
        rows = {len(population), len(curves), *map(len, labels.values())}
        if len(rows) != 1 or min(rows) < FEWEST_ROWS or not labels:
            labelled = " or ".join(map(str, sorted({*map(len, labels.values())}))) or "no"
            raise InvalidValueError(
                f"a process over learning curves needs at least {FEWEST_ROWS} networks, each with a curve and labels, "
                f"not {len(population)} networks, {len(curves)} curves and {labelled} labels"
            )
        cut = curves.until(epoch)
        features, groups = _features(space, population, cut)
        values = np.column_stack([*labels.values()])
        scores = norm.ppf((rankdata(values, axis=0) - 0.5) / len(values))
        process = condition(features, scores, Kernel.fit(features, scores, groups, seed), seed)
        return cls(
            space,
            epoch,
            tuple(cut.read_after.tolist()),
            tuple(target(name) for name in labels),
            process,
            np.sort(scores, axis=0),
            np.sort(values, axis=0),
        )

    def normal_scores(self, population: Population, curves: LearningCurves) -> Values:
        """``(n, t)``: predicted normal scores, which rank even networks that are better than all training networks.

        Raises:
            InvalidValueError: the numbers of networks and curves differ, the curves do not have values at the epochs of
                the process, or a curve has no first value.
        """
        cut = curves.until(self.epoch)
        if tuple(cut.read_after.tolist()) != self.read_after or cut.losses.shape[1] != self.epoch:
            raise InvalidValueError(
                f"the curves need losses of {self.epoch} epochs and accuracies after the epochs {self.read_after}; "
                f"these have losses of {cut.losses.shape[1]} and accuracies after {tuple(cut.read_after.tolist())}"
            )
        if len(population) != len(curves):
            raise InvalidValueError(
                f"the numbers of networks ({len(population)}) and learning curves ({len(curves)}) must be equal"
            )
        return self.process.predict(_features(self.space, population, cut)[0])

    def estimate(self, population: Population, curves: LearningCurves) -> Estimate:
        """Predict the labels of ``(n, g)`` networks with these curves, within the range of the training labels.

        Raises:
            InvalidValueError: as in `normal_scores`.
        """
        found = self.normal_scores(population, curves)
        for column in range(found.shape[1]):
            found[:, column] = np.interp(found[:, column], self.scores[:, column], self.labels[:, column])
        return Estimate(self.targets, found)


class CurveEstimator(Estimator):
    """Estimates networks from their learning curves with a `CurveProcess`."""

    def __init__(self, process: CurveProcess, curves_of: Callable[[Population], LearningCurves]) -> None:
        """Store the process and the source of curves.

        Args:
            process: a fitted process.
            curves_of: returns the curves of ``(n, g)`` networks up to the epoch of the process: from a table, or by
                training them up to this epoch.
        """
        self.process, self.curves_of = process, curves_of

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of the process."""
        return self.process.targets

    @property
    def space(self) -> Space:
        """Space of the process."""
        return self.process.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Kind of the estimator, epoch, and number of training networks."""
        return {"estimator": "learning curves", "epoch": self.process.epoch, "rows": len(self.process.labels)}

    def estimate(self, population: Population) -> Estimate:
        """Predict the targets of ``(n, g)`` architectures."""
        return self.process.estimate(population, self.curves_of(population))


def curve_features(curves: LearningCurves) -> dict[str, Values]:
    """Name -> ``(n,)``: logarithms of losses, and negative logarithms of error rates.

    A training run that was stopped early keeps its last value.

    Raises:
        InvalidValueError: a curve has no first value.
    """
    losses = np.log(_held(curves.losses) + _SMALLEST_LOSS)
    accuracies = -np.log(1.0 + _SMALLEST_ERROR - _held(curves.accuracies))
    return {
        **{f"loss {epoch}": losses[:, epoch - 1] for epoch in _chosen(losses.shape[1])},
        **{f"accuracy {epoch}": column for epoch, column in zip(curves.read_after, accuracies.T, strict=True)},
    }


def _chosen(epochs: int) -> list[int]:
    """Up to `MOST_LOSSES` epochs from 1 to the last, at about equal ratios."""
    return [int(epoch) for epoch in np.unique(np.geomspace(1, epochs, MOST_LOSSES).round())] if epochs else []


def _held(values: Values) -> Values:
    """Replace NaN by the last known value.

    Raises:
        InvalidValueError: a curve has no first value.
    """
    missing = np.flatnonzero(np.isnan(values[:, 0])) if values.shape[1] else np.empty(0)
    if len(missing):
        raise InvalidValueError(f"learning curves without a first value: {len(missing)} of {len(values)}")
    held = values.copy()
    for column in range(1, held.shape[1]):
        held[:, column] = np.where(np.isnan(held[:, column]), held[:, column - 1], held[:, column])
    return held


def _features(space: Space, population: Population, curves: LearningCurves) -> tuple[Features, npt.NDArray[np.intp]]:
    """``(n, f)`` features, and ``(f,)`` the group of each."""
    layers = space.layers(population)
    size = np.log1p(np.column_stack([layers.params(), layers.macs()]).astype(np.float64))
    of_curves = curve_features(curves)
    groups = [_LOSSES if name.startswith("loss") else _ACCURACIES for name in of_curves]
    features = np.column_stack([*of_curves.values(), size]).astype(np.float32)
    return features, np.array([*groups, _SIZE, _SIZE], dtype=np.intp)
