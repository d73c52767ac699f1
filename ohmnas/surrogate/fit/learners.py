"""Gradient-boosted trees: a pairwise ranker for the accuracy, and a regressor for the other targets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit.early_stopping import Growing
from ohmnas.surrogate.fit.hinge import HingeObjective
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.trees import LEAF, Trees


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Size and shrinkage of the boosted trees."""

    rounds: int = 100
    """Number of trees."""
    depth: int = 4
    """Largest depth of a tree."""
    learning_rate: float = 0.1
    """Shrinkage of each tree."""
    subsample: float = 0.7
    """Share of the rows for each tree."""
    columns: float = 0.5
    """Share of the features for each tree."""
    min_child_weight: float = 2.0
    """Smallest curvature in a leaf (number of rows, for regressors)."""

    def params(self, seed: int) -> dict[str, object]:
        """Parameters for XGBoost."""
        return {
            "max_depth": self.depth,
            "eta": self.learning_rate,
            "subsample": self.subsample,
            "colsample_bytree": self.columns,
            "min_child_weight": self.min_child_weight,
            "seed": seed,
            "seed_per_iteration": True,  # otherwise trees depend on other models grown in the process
            "max_bin": 64,  # with a few hundred rows, as good as 256 in two thirds of the time
            "nthread": 1,  # with a few hundred rows, more threads are not faster
            "base_score": 0.0,
            "disable_default_eval_metric": True,
        }


def ranker(
    features: Features, labels: Values, margin: float, settings: TreeSettings, seed: int, emphasis: float = 0.0
) -> Growing:
    """Trees boosted on the pairwise hinge loss; the margin sets the scale of the scores."""
    hinge = HingeObjective(labels, margin, seed=seed, emphasis=emphasis)

    def objective(scores: npt.NDArray[np.float32], _: xgb.DMatrix) -> tuple[Values, Values]:
        return hinge(scores.astype(np.float64))

    return Growing(settings.params(seed), features, labels, objective)


def regressor(features: Features, labels: Values, settings: TreeSettings, seed: int) -> Growing:
    """Trees boosted on the squared error of labels with mean 0."""
    return Growing({**settings.params(seed), "objective": "reg:squarederror"}, features, labels)


def fit_ranker(features: Features, labels: Values, margin: float, settings: TreeSettings, seed: int) -> xgb.Booster:
    """Fit a `ranker` with all its trees."""
    return ranker(features, labels, margin, settings, seed).grow(settings.rounds)


def fit_regressor(features: Features, labels: Values, settings: TreeSettings, seed: int) -> xgb.Booster:
    """Fit a `regressor` with all its trees."""
    return regressor(features, labels, settings, seed).grow(settings.rounds)


def predict(booster: xgb.Booster, features: Features) -> Values:
    """``(n,)``: predictions of XGBoost; `forest.Forest` gives the same values faster."""
    predicted: Values = booster.inplace_predict(np.ascontiguousarray(features)).astype(np.float64)
    return predicted


def trees_of(booster: xgb.Booster) -> Trees:
    """Convert the trees of a regressor or ranker to arrays."""
    learner = json.loads(booster.save_raw("json").decode())["learner"]
    trees = [_by_level(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    return Trees(
        np.array([len(splits) for splits, _ in trees], dtype=np.int32),
        np.array([split for splits, _ in trees for split in splits], dtype=np.int16),
        np.array([number for _, numbers in trees for number in numbers], dtype=np.float32),
        # XGBoost before 3.1 writes a number; later versions write a list with one number
        float(learner["learner_model_param"]["base_score"].strip("[]")),
    )


def _by_level(tree: dict[str, Any]) -> tuple[list[int], list[float]]:
    """Splits and numbers of a tree's nodes in level order, as in `Trees`."""
    left, right = tree["left_children"], tree["right_children"]
    nodes = [0]
    for node in nodes:  # the list grows in the loop
        if left[node] != -1:
            nodes += (left[node], right[node])
    splits = [LEAF if left[node] == -1 else tree["split_indices"][node] for node in nodes]
    return splits, [tree["split_conditions"][node] for node in nodes]
