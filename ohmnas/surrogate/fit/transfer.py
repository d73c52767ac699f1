"""Fit source models and the line on their predictions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit.learners import TreeSettings, fit_regressor, trees_of
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet, learnable_chips
from ohmnas.surrogate.transfer import Line, SourceModel, chipless_features, genome_keys
from ohmnas.surrogate.trees import Trees

FOLDS: Final = 5
"""Folds of the architectures, for held-out predictions of training rows."""
EQUAL_ROWS: Final = 30
"""Number of rows at which trees and line count equally; measured on digits, flat from 15 to 60."""
SHRINKAGES: Final = np.logspace(-1, 4, 11)
"""Ridge penalties to choose from by cross-validation."""


def fit_source(sets: Iterable[TrainingSet], settings: TreeSettings | None = None, seed: int = 0) -> SourceModel:
    """Fit to the rows of several chips of one task.

    Args:
        sets: the rows of each chip.
        settings: settings of the trees.
        seed: seed of folds and trees.

    Raises:
        InvalidValueError: there are no sets, or they have different spaces.
    """
    parts, settings = list(sets), settings or TreeSettings()
    if not parts or any((part.space, part.variation) != (parts[0].space, parts[0].variation) for part in parts):
        raise InvalidValueError("a source model needs rows of one task, on at least one chip")
    features = np.vstack([chipless_features(part.space, part.population, part.hardware) for part in parts])
    labels = np.vstack([np.column_stack([part.target(target) for target in part.target_names]) for part in parts])
    labels -= labels.mean(axis=0)
    keys = [key for part in parts for key in genome_keys(part.population)]
    different = list(dict.fromkeys(keys))
    drawn = np.random.default_rng(seed).permutation(len(different)) % FOLDS
    fold_of = {key: int(fold) for key, fold in zip(different, drawn, strict=True)}
    row_fold = np.array([fold_of[key] for key in keys])

    def learn(rows: npt.NDArray[np.bool_]) -> tuple[Trees, ...]:
        return tuple(trees_of(fit_regressor(features[rows], column[rows], settings, seed)) for column in labels.T)

    sources = tuple(f"{part.provenance['task']} on {part.provenance['hardware']}" for part in parts)
    folds = tuple(learn(row_fold != fold) for fold in range(FOLDS))
    return SourceModel(parts[0].space, learn(row_fold >= 0), sources, folds, fold_of)


def source_of(table: MeasuredTable, besides: TrainingSet | None = None, seed: int = 0) -> SourceModel:
    """Fit to all chips of a table.

    Args:
        table: for each chip, its only fidelity or ``paper`` is used.
        besides: rows of the new surrogate; if they are of the table's task, their chip is excluded.
        seed: seed of folds and trees.

    Raises:
        InvalidValueError: no other chip has enough rows.
    """
    new = besides.provenance["hardware"] if besides and besides.provenance["task"] == table.card["task"] else None
    chips = [chip for chip in learnable_chips(table) if chip != new]
    if not chips:
        raise InvalidValueError(
            f"cannot start from table {table.source}: no other chip has at least {FEWEST_ROWS} architectures"
        )
    return fit_source((TrainingSet.of(table, chip) for chip in chips), seed=seed)


def fit_line(source: Features, labels: Values) -> Line:
    """Ridge regression of ``(n, 3)`` labels on ``(n, 3)`` predictions; cross-validation chooses the penalty."""
    scale = np.maximum(source.std(axis=0), 1e-6).astype(np.float64)
    models = [RidgeCV(SHRINKAGES).fit(source / scale, column) for column in labels.T]
    slopes = np.column_stack([model.coef_ / scale for model in models])
    return Line(slopes, np.array([model.intercept_ for model in models]), EQUAL_ROWS / (EQUAL_ROWS + len(labels)))
