"""`Surrogate`: three heads that learn a measured table and predict architectures that nobody has trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate import heads, metrics
from ohmnas.surrogate.features import Features, feature_matrix
from ohmnas.surrogate.forest import Forest, model_text
from ohmnas.surrogate.growing import FEWEST_TO_STOP, USUAL, Growing, Rows, grown_on
from ohmnas.surrogate.heads import Calibration, TreeSettings, Values
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.learning import FEWEST_ROWS, HEADS, LearningSet, check_labels, folds, networks_of
from ohmnas.surrogate.mixture import share, spread
from ohmnas.surrogate.prediction import Prediction
from ohmnas.surrogate.process import MOST_ROWS, SPREAD_ROWS, fitted_on
from ohmnas.surrogate.scales import from_scales, to_scales
from ohmnas.surrogate.transfer import Line, Start
from ohmnas.surrogate.versions import versions
from ohmnas.threads import by_blocks

FOLDS = 5
"""Of the training rows, so that each is predicted once by models that did not see it."""
MARGINS = (0.05, 0.1, 0.15, 0.2)
"""AnalogNAS tried these; 0.1 is its choice and ours."""
SETTINGS: Final[dict[str, tuple[float, float, type]]] = {
    "std_floor": (1e-12, 1.0, float),  # what is divided by it stays finite
    "margin": (1e-12, 1e12, float),
    "emphasis": (0.0, 10.0, float),
    "rounds": (1, 10**6, int),
    "early_stopping": (0, 1, bool),
    "depth": (1, 1000, int),
    "learning_rate": (0.0, 1.0, float),
    "subsample": (0.0, 1.0, float),
    "columns": (0.0, 1.0, float),
    "min_child_weight": (0.0, 1e12, float),
    "seed": (0, 2**32 - 1, int),
}
"""Setting -> least, most, kind."""
SPREAD_DEPTH: Final = 3
"""Levels of a tree of these two, at most: the score says most, and shallow trees are asked faster."""
_AT_ONCE = 2500
"""Rows of a block that one thread predicts: fewer, and threads wait for the interpreter."""


class Surrogate(RegressorMixin, BaseEstimator):
    """Predicts 1-day accuracy, its standard deviation over chips and the AVM of architectures on one chip.

    A scikit-learn regressor: X are genomes, ``(n, g)``, y the labels in the order of `HEADS`, ``(n, 3)``, as fractions.

    Each head mixes boosted trees and a Gaussian process. The trees of the accuracy rank pairs; the sum of their scores
    and of the ranks that the process expects is calibrated to accuracies. The spread over chips and the variation over
    time depend on how accurate a network is: near chance and near perfection both are small. So their trees and their
    process see that score as well; in training that of models which did not see the row, as it will be for
    architectures that nobody measured.
    """

    def __init__(
        self,
        space: ResNetSpace | None = None,
        hardware: Hardware | Mapping[str, float] | None = None,
        *,
        start: Start | None = None,
        std_floor: float = 1e-3,
        margin: float = 0.1,
        emphasis: float = 0.0,
        rounds: int = 100,
        early_stopping: bool = False,
        depth: int = 4,
        learning_rate: float = 0.1,
        subsample: float = 0.7,
        columns: float = 0.5,
        min_child_weight: float = 2.0,
        seed: int = 0,
    ) -> None:
        """Settings.

        Args:
            space: of the genomes; `fit` wants one.
            hardware: the chip, or its `description()`; None is the ``pcm`` preset. In a `CoDesignSpace` the genomes
                say what chip they are on.
            start: what is known of other chips or tasks, whose predictions become features: see `transfer`.
            std_floor: smallest standard deviation that the chips of a row resolve; none below is predicted.
            margin: of the pairwise hinge loss.
            emphasis: on pairs whose better row is among the best (`surrogate.hinge`); 0 is none, and on digits as good.
            rounds: trees of each head, at most.
            early_stopping: whether each head has only as many trees as rank best what folds of the rows did not see; of
                fewer than `growing.FEWEST_TO_STOP` networks, which cannot tell, each head has `growing.USUAL` at most.
                On digits as good as 100 trees each, and slower, since rankers grow to more than twice as many.
            depth: levels of a tree; those of standard deviation and AVM have `SPREAD_DEPTH` at most.
            learning_rate: share of each tree that is taken.
            subsample: share of the rows that each tree sees.
            columns: share of the features that each tree sees.
            min_child_weight: least curvature in a leaf (rows, for the regressors).
            seed: of row and feature sampling and of the folds; the same data and seed give the same surrogate.
        """
        self.space = space
        self.hardware = hardware
        self.start = start
        self.std_floor = std_floor
        self.margin = margin
        self.emphasis = emphasis
        self.rounds = rounds
        self.early_stopping = early_stopping
        self.depth = depth
        self.learning_rate = learning_rate
        self.subsample = subsample
        self.columns = columns
        self.min_child_weight = min_child_weight
        self.seed = seed

    @classmethod
    def learn(cls, data: LearningSet, **settings: Any) -> Self:
        """Fit to a table's rows; `settings` are those of the constructor that the table does not give."""
        return cls(data.space, data.hardware, std_floor=data.std_floor, **settings).fit(
            data.population, data.taught(), data.provenance, data.single()
        )

    def fit(
        self,
        X: Population,
        y: npt.ArrayLike,
        provenance: Mapping[str, Any] | None = None,
        single: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn the three heads.

        Args:
            X: ``(n, g)`` genomes of at least `FEWEST_ROWS` architectures, canonical.
            y: ``(n, 3)`` labels, in the order of `HEADS`.
            provenance: where they came from, as in `LearningSet`; a surrogate without can predict, but not be saved.
            single: ``(n, 3)`` labels of one training each, where y are means of several: intervals are of one.

        Raises:
            InvalidValueError: there is no space, or X and y are not what they should be.
        """
        X, labels = self._checked(X, y)
        self.space_ = self._known_space()
        self.hardware_ = _description(self.hardware)
        self.provenance_ = {**(provenance or {}), "versions": versions()}
        self.n_features_in_ = X.shape[1]
        features, said = self._features(X, unseen=True)
        targets = to_scales(labels, self.std_floor)
        accuracy, log_std, avm = targets.T
        self.log_std_mean_, self.avm_mean_ = float(log_std.mean()), float(avm.mean())
        self.line_ = None if said is None else Line.fit(said, targets)

        parts = folds(X, FOLDS, self.seed)
        enough = len(np.unique(networks_of(X))) >= FEWEST_TO_STOP
        held_out, expected = np.empty_like(targets), np.empty_like(targets)
        trees = [0, 0, 0]
        trees[0], ranked = self._grown(parts, features, accuracy, self._ranker, enough)
        ranks = rankdata(accuracy)[:, None] / len(accuracy)
        self.process_, expected[:, :1] = fitted_on(parts, features, ranks, 0, MOST_ROWS, self.seed)
        self.spreads_ = (spread(ranked), spread(expected[:, 0]))
        scores = self._scores(ranked, expected)
        informed = heads.with_score(features, scores)
        for train, test in parts:
            held_out[test, 0] = Calibration.fit(scores[train], accuracy[train])(scores[test])
        spreads = targets[:, 1:]
        self.spread_process_, expected[:, 1:] = fitted_on(parts, informed, spreads, 1, SPREAD_ROWS, self.seed)
        centred = targets - (0.0, self.log_std_mean_, self.avm_mean_)
        for column in (1, 2):
            trees[column], said_of = self._grown(parts, informed, centred[:, column], self._regressor, enough)
            held_out[:, column] = said_of + targets[:, column].mean()
        self.shares_ = tuple(
            share(*columns) for columns in zip(targets.T[1:], held_out.T[1:], expected.T[1:], strict=True)
        )
        self.extremes_ = (tuple(targets[:, 1:].min(axis=0).tolist()), tuple(targets[:, 1:].max(axis=0).tolist()))
        held_out[:, 1:] = self._mixed(held_out[:, 1:], expected[:, 1:])
        if said is not None:
            for train, test in parts:
                held_out[test] = Line.fit(said[train], targets[train]).blend(said[test], held_out[test])

        self.ranker_ = model_text(self._ranker(features, accuracy).grow(trees[0]))
        self.std_model_, self.avm_model_ = (
            model_text(self._regressor(informed, centred[:, column]).grow(trees[column])) for column in (1, 2)
        )
        self.trees_ = tuple(trees)
        self.forests_ = Forest.of([self.ranker_]), Forest.of([self.std_model_, self.avm_model_])
        self.calibration_ = Calibration.fit(scores, accuracy)
        held_out = self._bounded(held_out)
        residuals = (
            targets if single is None else to_scales(self._checked(X, single)[1], self.std_floor)
        ).T - held_out.T
        self.residuals_ = tuple(Residuals.fit(held_out[:, 0], column) for column in residuals)
        return self

    def predict(self, X: Population) -> Values:
        """``(n, 3)``: the heads in the order of `HEADS`, for ``(n, g)`` genomes."""
        predicted = self.forecast(X)
        return np.column_stack([getattr(predicted, head) for head in HEADS])

    def score(self, X: Population, y: npt.ArrayLike, sample_weight: None = None) -> float:  # noqa: ARG002 - sklearn's
        """Kendall's tau of the accuracies; `metrics.tau_scorer` has it for each head."""
        return metrics.kendall_tau(np.asarray(y, dtype=np.float64)[:, 0], self.rank_scores(X))

    def forecast(self, population: Population) -> Prediction:
        """Predict ``(n, g)`` architectures on the surrogate's chip."""
        return self._forecast(population)[1]

    def quantile(self, predicted: Prediction, probability: float) -> Prediction:
        """What the labels of one training stay below, each head by itself, with this probability.

        Args:
            predicted: what `forecast` said.
            probability: above 0, below 1; 0.05 and 0.95 are the ends of an interval that holds 90 % of all labels.

        Raises:
            InvalidValueError: it is not between 0 and 1.
        """
        position = predicted.accuracy_1d
        said = np.column_stack([position, predicted.accuracy_1d_std, predicted.avm])
        values = to_scales(said, self.std_floor)
        values += np.column_stack([residuals.quantile(position, probability) for residuals in self.residuals_])
        return self._prediction(values)

    def rank_scores(self, population: Population) -> Values:
        """``(n,)``: what orders architectures by accuracy, also where calibrated accuracies are all but equal."""
        return self._forecast(population)[0]

    def features(self, population: Population) -> Features:
        """``(n, f)``: what the heads see of ``(n, g)`` architectures: `feature_matrix`, then what `start` says."""
        check_is_fitted(self)
        return self._features(population)[0]

    def _features(self, population: Population, unseen: bool = False) -> tuple[Features, Features | None]:
        """The features, and among them what the start says; `unseen` as there."""
        own = feature_matrix(self.space_, population, self.hardware_)
        if self.start is None:
            return own, None
        said = self.start.says(population, self.hardware_, unseen)
        return np.hstack([own, said]), said

    def _forecast(self, population: Population) -> tuple[Values, Prediction]:
        """Scores, and what all heads say; blocks of many rows side by side."""
        check_is_fitted(self)
        said = by_blocks(lambda rows: self._said(self._features(rows)[0]), self.space_.check(population), _AT_ONCE)
        return said[:, 0], self._prediction(said[:, 1:])

    def forecast_features(self, features: Features) -> tuple[Values, Prediction]:
        """Predict from features, also such as no architecture has.

        Args:
            features: ``(n, f)``, as `features` gives them.

        Returns:
            ``(n,)`` scores, whose order is that of the accuracies, and what all heads say.
        """
        said = self._said(features)
        return said[:, 0], self._prediction(said[:, 1:])

    def _said(self, features: Features) -> Values:
        """``(n, 4)``: scores, accuracy, standard deviation and AVM, on their scales (`scales`)."""
        ranker, regressors = self.forests_
        ranked = ranker.predict(features)[:, 0].astype(np.float64)
        scores = self._scores(ranked, self.process_.predict(features))
        informed = heads.with_score(features, scores)
        expected = self.spread_process_.predict(informed)
        trees = regressors.predict(informed).astype(np.float64)
        trees += (self.log_std_mean_, self.avm_mean_)
        said = np.column_stack([scores, self.calibration_(scores), self._mixed(trees, expected)])
        if self.line_ is not None:
            said[:, 1:] = self.line_.blend(features[:, -len(HEADS) :], said[:, 1:])
            said[:, 0] = said[:, 1]
        return said

    def _scores(self, ranked: Values, expected: Values) -> Values:
        """``(n,)``: the ranker's scores and the ranks that the process expects, of equal weight."""
        trees, process = self.spreads_
        scores: Values = ranked / trees + expected[:, 0] / process
        return scores

    def _mixed(self, trees: Values, expected: Values) -> Values:
        """``(n, 2)``: the same, of trees and process by their shares; within what was measured: a search goes far."""
        shares = np.array(self.shares_)
        return np.clip(shares * trees + (1.0 - shares) * expected, *self.extremes_)

    def _prediction(self, values: Values) -> Prediction:
        """``(n, 3)`` on the heads' scales as fractions."""
        accuracy, std, avm = from_scales(self._bounded(values)).T
        return Prediction(accuracy, np.maximum(std, self.std_floor), avm)

    def _bounded(self, values: Values) -> Values:
        """The same, each within what it can be."""
        low, high = to_scales(np.array([[0.0, 0.0, -1.0], [1.0, 1.0, 1.0]]), self.std_floor)
        return np.clip(values, low, high)

    def _grown(
        self,
        parts: list[tuple[Rows, Rows]],
        features: Features,
        labels: Values,
        make: Callable[..., Growing],
        enough: bool,
    ) -> tuple[int, Values]:
        def learn(rows: Rows) -> Growing:
            return make(features[rows], labels[rows])

        most = self.rounds if enough or not self.early_stopping else min(self.rounds, USUAL)
        return grown_on(parts, learn, features, labels, most, enough and self.early_stopping)

    def _ranker(self, features: Features, accuracy: Values) -> Growing:
        return heads.ranker(features, accuracy, self.margin, self._settings(), self.seed, self.emphasis)

    def _regressor(self, features: Features, centred: Values) -> Growing:
        settings = self._settings()
        shallow = replace(settings, depth=min(settings.depth, SPREAD_DEPTH))
        return heads.regressor(features, centred, shallow, self.seed)

    def _known_space(self) -> ResNetSpace:
        if self.space is None:
            raise InvalidValueError("a surrogate is fitted to genomes of a space: Surrogate(space=...)")
        return self.space

    def _checked(self, X: Population, y: npt.ArrayLike) -> tuple[Population, Values]:
        X = self._known_space().check(X)
        for name, (low, high, _) in SETTINGS.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidValueError(f"{name} is {getattr(self, name)}; it should be from {low:g} to {high:g}")
        if self.start is not None and self._known_space().has_chips:
            raise InvalidValueError("a start knows networks on one chip: it says nothing of designs")
        labels = check_labels(y, len(X))
        different = len(np.unique(networks_of(X)))
        if different < FEWEST_ROWS:
            raise InvalidValueError(f"{different} architectures are too few for a surrogate, it needs {FEWEST_ROWS}")
        return X, labels

    def _settings(self) -> TreeSettings:
        return TreeSettings(
            self.rounds, self.depth, self.learning_rate, self.subsample, self.columns, self.min_child_weight
        )


def _description(hardware: Hardware | Mapping[str, float] | None) -> dict[str, float]:
    chip = Hardware() if hardware is None else hardware
    return chip.description() if isinstance(chip, Hardware) else dict(chip)
