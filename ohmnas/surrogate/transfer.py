"""Transfer: predictions for a new chip or task from models of other chips, for tables with few rows.

A `SourceModel` is fitted to the rows of all other chips together. It describes a chip only by the noise in a network
(`costs.noise`), so it can predict for a new chip, whose noise is computed, not measured. Its predictions become the
last features of the new surrogate, whose trees learn how the new chip differs (stacking: Wolpert, 1992). With few
rows, a linear model on these predictions has more weight than the trees; the weight for each target is fitted to
held-out rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import Features, chipless, feature_matrix, feature_names
from ohmnas.surrogate.forest import Forest
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.trees import Trees
from ohmnas.targets import DEFAULT_NAMES

_LASTING = "log2_lasting_share"


@dataclass(frozen=True, slots=True)
class SourceModel:
    """Predicts the targets of networks on any chip from the rows of other chips."""

    space: Space
    """Space of the rows' task; features are computed for this task."""
    trees: tuple[Trees, ...]
    """Trees for accuracy, logarithm of the standard deviation and AVM, each minus its mean."""
    sources: tuple[str, ...]
    """Table and chip of each source, such as ``digits on pcm``."""
    folds: tuple[tuple[Trees, ...], ...] = ()
    """Models that were not fitted to a fold of the architectures; empty in a loaded source model, which does not need
    them."""
    fold_of: Mapping[bytes, int] = field(default_factory=dict)
    _forest: Forest = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the trees.

        Raises:
            InvalidValueError: the number of ensembles is wrong, or a tree uses a feature that does not exist.
        """
        if len(self.trees) != len(DEFAULT_NAMES):
            raise InvalidValueError(f"a source model has {len(DEFAULT_NAMES)} tree ensembles, not {len(self.trees)}")
        object.__setattr__(self, "_forest", Forest.of(self.trees, chipless(self.space)))

    def predict(self, population: Population, hardware: Mapping[str, float], unseen: bool = False) -> Features:
        """``(n, 3)``: predictions for ``(n, g)`` architectures on a chip, each minus its mean.

        Args:
            population: ``(n, g)``, canonical.
            hardware: `Hardware.description()` of the chip; it may be a new one.
            unseen: True predicts each architecture of the training rows with the model that was not fitted to it.

        Raises:
            InvalidValueError: `unseen` is True for a loaded source model.
        """
        if unseen and not self.folds:
            raise InvalidValueError("a loaded source model has no held-out models: fit it to its table again")
        features = chipless_features(self.space, population, hardware)
        predicted = self._forest.predict(features)
        if unseen:
            fold = np.array([self.fold_of.get(key, -1) for key in genome_keys(population)])
            for number, trees in enumerate(self.folds):
                rows = fold == number
                if rows.any():
                    predicted[rows] = Forest.of(trees, chipless(self.space)).predict(features[rows])
        return predicted

    def stacked(
        self, features: Features, population: Population, hardware: Mapping[str, float], space: Space
    ) -> Features:
        """``(n, f + 3)``: features of another surrogate, then the predictions of this model.

        Args:
            features: ``(n, f)``: `features.feature_matrix` of the architectures on the chip in the space.
            population: ``(n, g)``, canonical.
            hardware: `Hardware.description()` of the chip.
            space: space of the other surrogate. If it is also the space of this model, `features` are reused.
        """
        if space != self.space:
            return np.hstack([features, self.predict(population, hardware)])
        return np.hstack([features, self._forest.predict(_without_chip(features, space))])


@dataclass(frozen=True, slots=True)
class Line:
    """Linear model on a source model's predictions for each target, and its weight.

    Accuracies are replaced by their ranks: the share of training rows that are less accurate, with half of the ties.
    Good networks are in a similar order after another training run or on another chip, but the gaps between their
    accuracies differ.
    """

    slopes: Values
    """``(3, 3)``: predictions -> targets."""
    heights: Values
    """``(3,)``."""
    shares: Values
    """``(3,)``: weight of the line in the prediction of each target, 0 to 1; the rest is the trees' weight."""
    ranks: Calibration
    """Rank of an accuracy among the training rows -> accuracy."""

    def __post_init__(self) -> None:
        """Check the line.

        Raises:
            InvalidValueError: shapes or shares are wrong.
        """
        shapes = (self.slopes.shape, self.heights.shape, self.shares.shape)
        if shapes != ((3, 3), (3,), (3,)) or not ((self.shares >= 0.0) & (self.shares <= 1.0)).all():
            raise InvalidValueError("a line has 3 x 3 slopes, 3 heights and 3 shares from 0 to 1")

    def of(self, source: Features) -> Values:
        """``(n, 3)``: the line alone, with ranks in place of accuracies."""
        predicted: Values = source @ self.slopes + self.heights
        return predicted

    def blend(self, source: Features, trees: Values) -> Values:
        """``(n, 3)``: weighted sum of the line and the trees for each target, accuracies by their ranks."""
        return self.values(self.shares * self.of(source) + (1.0 - self.shares) * self.ranked(trees))

    def ranked(self, values: Values) -> Values:
        """``(n, 3)``: targets on their scales, with ranks in place of accuracies."""
        return np.column_stack([self.ranks.inverse(values[:, 0]), values[:, 1:]])

    def values(self, ranked: Values) -> Values:
        """``(n, 3)``: the inverse of `ranked`."""
        return np.column_stack([self.ranks(ranked[:, 0]), ranked[:, 1:]])


def chipless_features(space: Space, population: Population, hardware: Mapping[str, float]) -> Features:
    """All features without the settings of the chip: settings of a new chip would be outside the training range.

    The lasting share of the noise (`log2_lasting_share`) is also set to 0. It describes the chip more than the network.
    With few chips, models that use this feature predict that less output noise makes a chip worse.
    """
    return _without_chip(feature_matrix(space, population, hardware), space)


def _without_chip(features: Features, space: Space) -> Features:
    """Return a copy of the features that do not describe the chip."""
    features = features[:, : chipless(space)].copy()
    features[:, feature_names(space, ()).index(_LASTING)] = 0.0
    return features


def genome_keys(population: Population) -> list[bytes]:
    """Hashable key of each genome."""
    return [genome.tobytes() for genome in np.ascontiguousarray(population, dtype=np.int16)]
