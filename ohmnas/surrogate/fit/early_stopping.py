"""Early stopping: the models of all folds grow together until they rank held-out rows no better than before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from ohmnas.surrogate import metrics
from ohmnas.surrogate.features import Features

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Objective = Callable[[npt.NDArray[np.float32], xgb.DMatrix], tuple[Values, Values]]

STEP: Final = 10
"""Trees between two evaluations on held-out rows."""
PATIENCE: Final = 4
"""Evaluations without improvement before growth stops."""
FEWEST_TO_STOP: Final = 400
"""Smallest number of networks for early stopping. On digits, early stopping with 300 networks is no better than
`DEFAULT_TREES`."""
DEFAULT_TREES: Final = 100
"""Largest number of trees if there are fewer networks."""


class Growing:
    """A booster that grows tree by tree."""

    def __init__(
        self, params: dict[str, object], features: Features, labels: Values, objective: Objective | None = None
    ) -> None:
        """Start without trees.

        Args:
            params: parameters of XGBoost.
            features: ``(n, f)``.
            labels: ``(n,)``.
            objective: scores -> gradient and curvature; None uses the objective in `params`.
        """
        self._table = xgb.DMatrix(features, labels)
        self._objective = objective
        self._trees = 0
        self.booster = xgb.Booster(params, [self._table])

    def grow(self, trees: int) -> xgb.Booster:
        """Grow this many more trees."""
        for _ in range(trees):
            self.booster.update(self._table, self._trees, self._objective)
            self._trees += 1
        return self.booster


def grown_on(
    parts: Sequence[tuple[Rows, Rows]],
    make: Callable[[Rows], Growing],
    features: Features,
    labels: Values,
    most: int,
    stop: bool = True,
) -> tuple[int, Values]:
    """Grow a model on each fold, all with the same number of trees.

    Args:
        parts: training rows and test rows of each fold.
        make: rows -> model for these rows.
        features: ``(n, f)``.
        labels: ``(n,)``: values to rank.
        most: largest number of trees.
        stop: True to stop at the best Kendall's tau on all held-out rows.

    Returns:
        Number of trees, and ``(n,)`` held-out predictions with this number.
    """
    models = [make(train) for train, _ in parts]
    best, best_tau, best_trees, trees = np.zeros(len(labels)), -np.inf, 0, 0
    while trees < most and (not best_trees or trees - best_trees < PATIENCE * STEP):
        more = min(STEP, most - trees) if stop else most
        trees += more
        predicted = np.empty(len(labels))
        for model, (_, test) in zip(models, parts, strict=True):
            predicted[test] = model.grow(more).inplace_predict(features[test])
        tau = metrics.kendall_tau(labels, predicted)
        if not best_trees or tau > best_tau or (np.isnan(best_tau) and not np.isnan(tau)):
            best, best_tau, best_trees = predicted, tau, trees
    return best_trees, best
