"""Learning a new chip or task from few rows, with what tables of others teach.

A `Start` is fitted to the rows of all other chips together and sees of a chip only the noise that it makes in a
network (`spaces.signal`). So it can be asked about a chip that it never saw, whose noise is computed, not measured.
What it says becomes the last features of the new surrogate, whose trees learn where the new chip is otherwise
(stacking: Wolpert, 1992), and as long as rows are few, a straight line through what it says counts more than the trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from sklearn.linear_model import RidgeCV

from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate import heads
from ohmnas.surrogate.features import CHIPLESS, Features, feature_matrix, feature_names
from ohmnas.surrogate.forest import Forest, model_text
from ohmnas.surrogate.heads import TreeSettings, Values
from ohmnas.surrogate.learning import FEWEST_ROWS, HEADS, LearningSet, learnable_chips

FOLDS = 5
"""Of the architectures, so that each that a start was fitted to has a model which did not see it."""
EQUAL_ROWS = 30
"""Rows of the new chip at which its trees count as much as the line; measured on digits, flat from 15 to 60."""
SHRINKAGES = np.logspace(-1, 4, 11)
"""Ridge penalties to choose from by cross-validation."""

_LASTING = feature_names(()).index("log2_lasting_share")

Boosters = tuple[xgb.Booster, ...]
"""One for each of `HEADS`."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the rows of some chips teach of any chip."""

    space: ResNetSpace
    """Of the task that the rows are of: costs that the models see are those of this task."""
    models: tuple[str, ...]
    """Of accuracy, logarithm of the standard deviation and AVM, each less its mean; as `forest.model_text` has them."""
    sources: tuple[str, ...]
    """Task and chip of each table that was learned, such as ``digits on pcm``."""
    folds: tuple[Boosters, ...] = ()
    """Models that did not see a fold of the architectures; gone from a loaded start, which no more needs them."""
    fold_of: Mapping[bytes, int] = field(default_factory=dict)
    _forest: Forest = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the trees over."""
        object.__setattr__(self, "_forest", Forest.of(self.models))

    @classmethod
    def fit(cls, sets: Iterable[LearningSet], settings: TreeSettings | None = None, seed: int = 0) -> Self:
        """Learn the rows of several chips of one task.

        Args:
            sets: the rows of each chip.
            settings: of the trees.
            seed: of folds and trees.

        Raises:
            InvalidValueError: there are none, or they are of several spaces.
        """
        parts, settings = list(sets), settings or TreeSettings()
        if not parts or any(part.space != parts[0].space for part in parts):
            raise InvalidValueError("a start is learned from the rows of one task, on one chip or more")
        features = np.vstack([_features(part.space, part.population, part.hardware) for part in parts])
        labels = np.vstack([np.column_stack([part.target(head) for head in HEADS]) for part in parts])
        labels -= labels.mean(axis=0)
        keys = [key for part in parts for key in _keys(part.population)]
        different = list(dict.fromkeys(keys))
        drawn = np.random.default_rng(seed).permutation(len(different)) % FOLDS
        fold_of = {key: int(fold) for key, fold in zip(different, drawn, strict=True)}
        row_fold = np.array([fold_of[key] for key in keys])

        def learn(rows: npt.NDArray[np.bool_]) -> Boosters:
            return tuple(heads.fit_regressor(features[rows], column[rows], settings, seed) for column in labels.T)

        sources = tuple(f"{part.provenance['task']} on {part.provenance['hardware']}" for part in parts)
        folds = tuple(learn(row_fold != fold) for fold in range(FOLDS))
        models = tuple(map(model_text, learn(row_fold >= 0)))
        return cls(parts[0].space, models, sources, folds, fold_of)

    @classmethod
    def of(cls, table: MeasuredTable, besides: LearningSet | None = None, seed: int = 0) -> Self:
        """Learn all chips of a table.

        Args:
            table: what is known; of each chip its only fidelity, or ``paper``.
            besides: the rows that are to be learned; if they are of the table's task, their chip is left out.
            seed: of folds and trees.

        Raises:
            InvalidValueError: no chip remains that has enough rows.
        """
        new = besides.provenance["hardware"] if besides and besides.provenance["task"] == table.card["task"] else None
        chips = [chip for chip in learnable_chips(table) if chip != new]
        if not chips:
            raise InvalidValueError(
                f"nothing to start from: table {table.source} has no other chip with {FEWEST_ROWS} architectures"
            )
        return cls.fit((LearningSet.of(table, chip) for chip in chips), seed=seed)

    def says(self, population: Population, hardware: Mapping[str, float], unseen: bool = False) -> Features:
        """``(n, 3)``: what to expect of ``(n, g)`` architectures on a chip, each less its mean, like `models`.

        Args:
            population: ``(n, g)``, canonical.
            hardware: `Hardware.description()` of the chip; it may be a new one.
            unseen: of architectures that the start was fitted to, what models say that did not see them.

        Raises:
            InvalidValueError: `unseen` is asked of a start that was loaded.
        """
        if unseen and not self.folds:
            raise InvalidValueError("a loaded start no longer knows what it had seen: learn it from its table again")
        features = _features(self.space, population, hardware)
        said = self._forest.predict(features)
        if unseen:
            fold = np.array([self.fold_of.get(key, -1) for key in _keys(population)])
            for number, models in enumerate(self.folds):
                rows = fold == number
                if rows.any():
                    said[rows] = _predicted(models, features[rows])
        return said


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through what a start says, for each head, and how much it counts."""

    slopes: Values
    """``(3, 3)``: what is said -> heads."""
    heights: Values
    """``(3,)``."""
    share: float
    """Of the line in a prediction, in (0, 1); the trees have the rest."""

    @classmethod
    def fit(cls, said: Features, labels: Values) -> Self:
        """Ridge regression of ``(n, 3)`` labels on ``(n, 3)`` sayings; the penalty by cross-validation."""
        scale = np.maximum(said.std(axis=0), 1e-6).astype(np.float64)
        models = [RidgeCV(SHRINKAGES).fit(said / scale, column) for column in labels.T]
        slopes = np.column_stack([model.coef_ / scale for model in models])
        return cls(slopes, np.array([model.intercept_ for model in models]), EQUAL_ROWS / (EQUAL_ROWS + len(labels)))

    def blend(self, said: Features, trees: Values) -> Values:
        """``(n, 3)``: the line's part and the trees' part of each head."""
        return self.share * (said @ self.slopes + self.heights) + (1.0 - self.share) * trees


def _features(space: ResNetSpace, population: Population, hardware: Mapping[str, float]) -> Features:
    """All but the settings of the chip: a new one would lie outside of what the models have seen.

    So would the share of the noise that lasts: it says less of a network than of a chip, of which few were seen, and
    models that see it predict that a chip with less output noise were worse. It is 0 here for all.
    """
    features = feature_matrix(space, population, hardware)[:, :CHIPLESS]
    features[:, _LASTING] = 0.0
    return features


def _predicted(models: Boosters, features: Features) -> Values:
    return np.column_stack([heads.predict(model, features) for model in models])


def _keys(population: Population) -> list[bytes]:
    return [genome.tobytes() for genome in np.ascontiguousarray(population, dtype=np.int16)]
