"""Fit source models and the line on their predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import RidgeCV

from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit.learners import TreeSettings, fit_regressor, trees_of
from ohmnas.surrogate.scales import Scales, Values
from ohmnas.surrogate.shipped import tables_of_task
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.surrogate.transfer import Line, SourceModel, chipless_features, genome_keys
from ohmnas.surrogate.trees import Trees

FOLDS: Final = 5
"""Folds of the architectures, for held-out predictions of training rows."""
EQUAL_ROWS: Final = 30
"""Number of rows at which trees and line are expected to have equal weight. Measured on digits, where values from 15
to 60 do equally well."""
PRIOR_ROWS: Final = 60
"""Weight of the expected share, as a number of rows."""
MOST_RANKS: Final = 65
"""Largest number of knots of `rank_map`."""
SHRINKAGES: Final = np.logspace(-1, 4, 11)
"""Ridge penalties to choose from by cross-validation."""


def fit_source(sets: Iterable[TrainingSet], settings: TreeSettings | None = None, seed: int = 0) -> SourceModel:
    """Fit to the rows of several chips of one task.

    Args:
        sets: the rows of each chip.
        settings: settings of the trees.
        seed: seed of folds and trees.

    Raises:
        InvalidValueError: there are no sets, or their spaces or third targets differ.
    """
    parts, settings = list(sets), settings or TreeSettings()
    if not parts or any((part.space, part.variation) != (parts[0].space, parts[0].variation) for part in parts):
        raise InvalidValueError("a source model needs rows of one task, on at least one chip")
    features = np.vstack([chipless_features(part.space, part.population, part.hardware) for part in parts])
    labels = np.vstack([Scales(part.scales.std_floor).to(part.shrunk_labels()) for part in parts])  # one unit for all
    labels -= labels.mean(axis=0)
    keys = [key for part in parts for key in genome_keys(part.population)]
    different = list(dict.fromkeys(keys))
    drawn = np.random.default_rng(seed).permutation(len(different)) % FOLDS
    fold_of = {key: int(fold) for key, fold in zip(different, drawn, strict=True)}
    row_fold = np.array([fold_of[key] for key in keys])

    def learn(rows: npt.NDArray[np.bool_]) -> tuple[Trees, ...]:
        return tuple(trees_of(fit_regressor(features[rows], column[rows], settings, seed)) for column in labels.T)

    sources = tuple(_named(part.provenance) for part in parts)
    folds = tuple(learn(row_fold != fold) for fold in range(FOLDS))
    return SourceModel(parts[0].space, learn(row_fold >= 0), sources, folds, fold_of)


def source_of(table: MeasuredTable, besides: TrainingSet | None = None, seed: int = 0) -> SourceModel:
    """Fit to all chips of a table at one fidelity.

    Rows of two fidelities would make fidelity look like a property of the chip.

    Args:
        table: the fidelity with the most pairs of architecture and chip is used.
        besides: rows of the new surrogate. Rows of the same task, chip and fidelity are excluded.
        seed: seed of folds and trees.

    Raises:
        InvalidValueError: no other chip or fidelity has at least `FEWEST_ROWS` architectures.
    """
    new = None if besides is None else _origin(besides)
    kinds = ["fidelity", "hardware"]
    architectures = table.measured.drop_duplicates([*kinds, *table.space.gene_names]).groupby(kinds).size()
    sizes: dict[str, dict[str, int]] = {}
    for (fidelity, chip), size in zip(architectures.index.tolist(), architectures.tolist(), strict=True):
        if size >= FEWEST_ROWS and (str(table.card["task"]), chip, fidelity) != new:
            sizes.setdefault(str(fidelity), {})[str(chip)] = size
    if not sizes:
        raise InvalidValueError(
            f"cannot start from table {table.source}: no other chip or fidelity has at least {FEWEST_ROWS} "
            "architectures"
        )
    largest = max(sizes, key=lambda fidelity: sum(sizes[fidelity].values()))
    return fit_source((TrainingSet.of(table, chip, largest) for chip in sizes[largest]), seed=seed)


def source_of_older(table: MeasuredTable, besides: TrainingSet, seed: int = 0) -> SourceModel | None:
    """Fit to the next older shipped table of the same task; None for unshipped tables, the oldest table, and co-design.

    Args:
        table: the table of the new surrogate.
        besides: rows of the new surrogate, as in `source_of`.
        seed: seed of folds and trees.
    """
    names = tables_of_task(str(table.card["task"]))
    older = names[names.index(table.source) + 1 :] if table.source in names else []
    return None if besides.space.has_chips or not older else source_of(read_table(older[0]), besides, seed)


def _named(provenance: Mapping[str, Any]) -> str:
    """Return the table (or the task, if the table is unknown) and the chip."""
    return f"{provenance.get('table_name', provenance['task'])} on {provenance['hardware']}"


def _origin(rows: TrainingSet) -> tuple[str, ...]:
    return tuple(str(rows.provenance[name]) for name in ("task", "hardware", "fidelity"))


def fit_line(source: Features, labels: Values) -> Line:
    """Ridge regression of ``(n, 3)`` labels on ``(n, 3)`` predictions; cross-validation chooses the penalty.

    The shares of the line are the expected ones for this number of rows. `line_shares` improves them.
    """
    ranks = rank_map(labels[:, 0])
    labels = np.column_stack([ranks.inverse(labels[:, 0]), labels[:, 1:]])
    scale = np.maximum(source.std(axis=0), 1e-6).astype(np.float64)
    models = [RidgeCV(SHRINKAGES).fit(source / scale, column) for column in labels.T]
    slopes = np.column_stack([model.coef_ / scale for model in models])
    heights = np.array([model.intercept_ for model in models])
    return Line(slopes, heights, np.full(3, _expected_share(len(labels))), ranks)


def rank_map(accuracies: Values) -> Calibration:
    """Map from ranks, 0 to 1, to ``(n,)`` accuracies, with at most `MOST_RANKS` knots."""
    values, counts = np.unique(accuracies, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2.0) / len(accuracies)
    kept = np.unique(np.linspace(0, len(values) - 1, min(MOST_RANKS, len(values))).round().astype(np.intp))
    return Calibration(ranks[kept], values[kept])


def line_shares(labels: Values, lines: Values, trees: Values) -> Values:
    """``(3,)``: for each target, the share of the line that brings the blend closest to held-out labels.

    All arguments have ranks in place of accuracies (`Line.ranked`). With few rows, the closest share is uncertain, so
    it is averaged with the share expected for this number of rows, which counts as `PRIOR_ROWS` rows.

    Args:
        labels: ``(n, 3)``.
        lines: ``(n, 3)``: held-out predictions of the line.
        trees: ``(n, 3)``: held-out predictions without the line.
    """
    n, between = len(labels), lines - trees
    expected = _expected_share(n)
    squares = np.square(between).mean(axis=0)
    along = ((labels - trees) * between).mean(axis=0)
    closest = np.divide(along, squares, out=np.full(3, expected), where=squares > 0.0)
    shares: Values = np.clip((n * closest + PRIOR_ROWS * expected) / (n + PRIOR_ROWS), 0.0, 1.0)
    return shares


def _expected_share(rows: int) -> float:
    return EQUAL_ROWS / (EQUAL_ROWS + rows)
