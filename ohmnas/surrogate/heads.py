"""The learners behind the three heads: a ranker of pairs and a regressor, both gradient-boosted trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from sklearn.isotonic import isotonic_regression

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.growing import Growing
from ohmnas.surrogate.hinge import HingeObjective

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Size and shrinkage of the boosted trees."""

    rounds: int = 100
    """Trees."""
    depth: int = 4
    """Levels of a tree."""
    learning_rate: float = 0.1
    """Share of each tree that is taken."""
    subsample: float = 0.7
    """Share of the rows that each tree sees."""
    columns: float = 0.5
    """Share of the features that each tree sees."""
    min_child_weight: float = 2.0
    """Least curvature in a leaf (rows, for the regressors)."""

    def params(self, seed: int) -> dict[str, object]:
        """XGBoost's names for these."""
        return {
            "max_depth": self.depth,
            "eta": self.learning_rate,
            "subsample": self.subsample,
            "colsample_bytree": self.columns,
            "min_child_weight": self.min_child_weight,
            "seed": seed,
            "seed_per_iteration": True,  # else a model's trees depend on what else the process grows
            "max_bin": 64,  # on a few hundred rows as good as 256, in two thirds of the time
            "nthread": 1,  # a few hundred rows: threads only wait for each other
            "base_score": 0.0,
            "disable_default_eval_metric": True,
        }


def ranker(
    features: Features, labels: Values, margin: float, settings: TreeSettings, seed: int, emphasis: float = 0.0
) -> Growing:
    """Trees that are boosted on the pairwise hinge loss; the scores order the rows, their scale is the margin's."""
    hinge = HingeObjective(labels, margin, seed=seed, emphasis=emphasis)

    def objective(scores: npt.NDArray[np.float32], _: xgb.DMatrix) -> tuple[Values, Values]:
        return hinge(scores.astype(np.float64))

    return Growing(settings.params(seed), features, labels, objective)


def regressor(features: Features, labels: Values, settings: TreeSettings, seed: int) -> Growing:
    """Trees that are boosted on the squared error of labels that have mean 0."""
    return Growing({**settings.params(seed), "objective": "reg:squarederror"}, features, labels)


def fit_ranker(features: Features, labels: Values, margin: float, settings: TreeSettings, seed: int) -> xgb.Booster:
    """A `ranker` with all its trees."""
    return ranker(features, labels, margin, settings, seed).grow(settings.rounds)


def fit_regressor(features: Features, labels: Values, settings: TreeSettings, seed: int) -> xgb.Booster:
    """A `regressor` with all its trees."""
    return regressor(features, labels, settings, seed).grow(settings.rounds)


def predict(booster: xgb.Booster, features: Features) -> Values:
    """``(n,)``: what the trees say; who asks often asks a `forest.Forest`."""
    said: Values = booster.inplace_predict(np.ascontiguousarray(features)).astype(np.float64)
    return said


def with_score(features: Features, scores: Values) -> Features:
    """What regressors see: ``(n, f)`` and ``(n,)`` -> ``(n, f + 1)``."""
    informed = np.empty((len(features), features.shape[1] + 1), dtype=np.float32)
    informed[:, :-1], informed[:, -1] = features, scores
    return informed


_SMALLEST_STEP = 1e-9
"""Knots of a calibration that lie closer are one: a line between them would be too steep for floating point."""

_END = 0.2
"""Share of the scores between the outermost knots that decides how a calibration goes on beyond each of them."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """An increasing map from scores to accuracies: straight lines between knots, and on beyond them.

    A search works at the upper end and beyond it, where a flat map would leave the choice to the spread alone. So each
    end goes on with the mean slope of the outer `_END` of the scores, which no single pair of knots decides, and bends
    towards 0 or 1, which no accuracy passes: d beyond the end, with the room r to the bound, by r x / (1 + x) with
    x = slope d / r. The map is strictly increasing, with two exceptions: a single knot, from a ranker that found no
    order, is a constant; and an end that already is 0 or 1 has no room.
    """

    scores: Values
    """``(k,)``, increasing."""
    values: Values
    """``(k,)``, increasing."""

    def __post_init__(self) -> None:
        """Check the knots.

        Raises:
            InvalidValueError: there are none or unequally many, they do not increase, or values are no fractions.
        """
        if not len(self.scores) or len(self.scores) != len(self.values):
            raise InvalidValueError("a calibration has as many scores as values for its knots, and at least one")
        if not ((np.diff(self.scores) > _SMALLEST_STEP).all() and (np.diff(self.values) > 0).all()):
            raise InvalidValueError("the knots of a calibration do not increase")
        if not (self.values[0] >= 0 and self.values[-1] <= 1):
            raise InvalidValueError(
                f"accuracies are fractions from 0 to 1, not {self.values[0]:g} to {self.values[-1]:g}"
            )

    @classmethod
    def fit(cls, scores: Values, values: Values) -> Calibration:
        """Isotonic regression, then lines through the middles of its steps.

        The steps of isotonic regression are flat and would hide differences from a search; their middles keep its
        order and its level.

        Args:
            scores: ``(n,)`` of rows that the ranker was not trained on.
            values: ``(n,)`` their accuracies.
        """
        order = np.lexsort((-values, scores))  # equal scores: falling values, which the regression pools
        level = isotonic_regression(values[order])
        steps = np.flatnonzero(np.diff(level, prepend=-np.inf))
        sizes = np.diff(np.append(steps, len(level)))
        middles = np.add.reduceat(scores[order], steps) / sizes
        apart = np.diff(middles, prepend=-np.inf) > _SMALLEST_STEP
        return cls(middles[apart], level[steps][apart])

    def __call__(self, scores: Values) -> Values:
        """``(n,)`` scores -> ``(n,)`` accuracies."""
        first, last = self.scores[0], self.scores[-1]
        reach = _END * (last - first)
        if reach == 0.0:
            return np.full(len(scores), self.values[0])
        inner = np.interp([first + reach, last - reach], self.scores, self.values)
        low, high = self.values[0], self.values[-1]
        return (
            np.interp(scores, self.scores, self.values)
            - _towards(low, (inner[0] - low) / reach, np.maximum(first - scores, 0.0))
            + _towards(1.0 - high, (high - inner[1]) / reach, np.maximum(scores - last, 0.0))
        )


def _towards(room: float, slope: float, distance: Values) -> Values:
    """``(n,)``: how far a curve has come that starts with a slope and approaches `room`, in [0, room]."""
    rise = slope * distance
    return room * (rise / (room + rise)) if room > 0.0 else np.zeros(len(distance))
