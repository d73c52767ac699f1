"""`Surrogate`: the scikit-learn estimator that fits a `SurrogateModel` to measured architectures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate import metrics
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import Features, feature_matrix
from ohmnas.surrogate.fit import stages
from ohmnas.surrogate.fit.folds import check_labels, folds, networks_of
from ohmnas.surrogate.fit.learners import TreeSettings
from ohmnas.surrogate.fit.versions import versions
from ohmnas.surrogate.known import KnownNetworks
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.scales import AVM_UNIT, LEAST_UNIT, Scales, Values
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.surrogate.transfer import SourceModel
from ohmnas.targets import VARIATION, VARIATIONS, Target, target

FOLDS = 5
"""Cross-validation folds; each row is predicted once by models that were not fitted to it."""
SETTINGS: Final[dict[str, tuple[float, float, type]]] = {
    "std_floor": (1e-12, 1.0, float),  # divisions by it stay finite
    "avm_unit": (LEAST_UNIT, 1.0, float),
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
"""Setting -> lowest value, highest value, type."""


class Surrogate(RegressorMixin, BaseEstimator):
    """Fits a surrogate for one chip, or for the co-design of networks and chips; `model_` is the fitted model.

    A scikit-learn regressor: X holds the genomes, ``(n, g)``; y holds the labels, ``(n, 3)`` fractions in the order of
    `DEFAULT_NAMES`.

    A search needs only `model_`, which predicts without scikit-learn and XGBoost and can be saved with
    `SurrogateModel.save`.
    """

    model_: SurrogateModel

    def __init__(
        self,
        space: Space | None = None,
        hardware: Hardware | Mapping[str, float] | None = None,
        *,
        source: SourceModel | None = None,
        variation: str = VARIATION.name,
        std_floor: float = 1e-3,
        avm_unit: float = AVM_UNIT,
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
        """Store the settings.

        Args:
            space: search space; required by `fit`.
            hardware: the chip, or its `description()`; None is the ``pcm`` preset. In a `CoDesignSpace`, the genomes
                include the chip.
            source: model of other chips or tasks; its predictions become features (see `transfer`).
            variation: name of the third target, one of `targets.VARIATIONS`.
            std_floor: smallest standard deviation that the chips of a row can resolve; predictions are not below it.
            avm_unit: AVM up to which its scale is nearly linear (`scales.avm_unit`), as a fraction.
            margin: margin of the pairwise hinge loss.
            emphasis: extra weight of pairs with a good row (`fit.hinge`). 0 gives none; on digits, an emphasis does not
                improve the ranking.
            rounds: largest number of trees per target.
            early_stopping: True uses the number of trees that ranks held-out rows best. With fewer than
                `early_stopping.FEWEST_TO_STOP` networks, this number cannot be estimated, and each target gets at most
                `early_stopping.DEFAULT_TREES` trees. On digits, early stopping ranks as well as 100 trees but is
                slower, because the rankers grow beyond 200 trees.
            depth: largest depth of a tree; at most `stages.SPREAD_DEPTH` for standard deviation and AVM.
            learning_rate: shrinkage of each tree.
            subsample: share of the rows for each tree.
            columns: share of the features for each tree.
            min_child_weight: smallest curvature in a leaf (number of rows, for regressors).
            seed: random seed; the same data and seed give the same surrogate.
        """
        self.space = space
        self.hardware = hardware
        self.source = source
        self.variation = variation
        self.std_floor = std_floor
        self.avm_unit = avm_unit
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
    def learn(cls, data: TrainingSet, targets: Iterable[str] = (), **settings: Any) -> Self:
        """Fit to a table's rows.

        Args:
            data: the rows.
            targets: names of targets to learn in addition to the default ones.
            settings: further constructor arguments; `std_floor`, `avm_unit` and `variation` replace the table's values.

        Raises:
            InvalidValueError: a target is not measured in all rows.
            UnknownNameError: a target is unknown.
        """
        further = {name: data.further(name) for name in targets if name not in data.labels}
        floor, unit = data.scales.std_floor, data.scales.avm_unit
        settings = {"std_floor": floor, "avm_unit": unit, "variation": data.variation.name, **settings}
        return cls(data.space, data.hardware, **settings).fit(
            data.population, data.shrunk_labels(), data.provenance, data.single(), data.noise, further
        )

    def fit(
        self,
        X: Population,
        y: npt.ArrayLike,
        provenance: Mapping[str, Any] | None = None,
        single: npt.ArrayLike | None = None,
        noise: float | None = None,
        further: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
    ) -> Self:
        """Fit the default targets and further ones, stage by stage (`fit.stages`).

        Args:
            X: ``(n, g)`` genomes of at least `FEWEST_ROWS` architectures, canonical.
            y: ``(n, 3)`` labels, in the order of `DEFAULT_NAMES`.
            provenance: as in `TrainingSet`; without it, the surrogate cannot be saved.
            single: ``(n, 3)`` labels of one training run each, needed if y holds means over training runs: prediction
                intervals are for a single training run.
            noise: variance of the accuracies between training runs of a network; None if unknown.
            further: name of a further target -> ``(n,)`` labels, and ``(n,)`` labels of one training run each.

        Raises:
            InvalidValueError: the space is missing, a setting is out of range, the source model was loaded from a file
                or is used for co-design, or X, y, `single` or `further` is invalid.
            UnknownNameError: the variation or a further target is unknown.
        """
        X, labels = self._checked(X, y)
        variation = _variation(self.variation)
        more = {
            target(name): (_further_labels(name, values, len(X)), _further_labels(name, single_values, len(X)))
            for name, (values, single_values) in (further or {}).items()
        }
        space, hardware = self._known_space(), _description(self.hardware)
        self.n_features_in_ = X.shape[1]
        scales = Scales(self.std_floor, self.avm_unit)
        targets = scales.to(labels)
        one_each = targets if single is None else scales.to(check_labels(single, len(X)))
        features, source = self._features(space, X, hardware)
        recipe = stages.Recipe.of(
            X,
            space,
            folds(X, len(space.networks.genes), FOLDS, self.seed),
            TreeSettings(
                self.rounds, self.depth, self.learning_rate, self.subsample, self.columns, self.min_child_weight
            ),
            self.margin,
            self.emphasis,
            self.early_stopping,
            self.seed,
        )
        ranking = stages.rank(features, targets[:, 0], recipe)
        calibration, accuracy = stages.calibrate(ranking.scores, targets[:, 0], recipe)
        spreads = stages.spread_and_variation(features, ranking, targets[:, 1:], recipe)
        held_out, line = np.column_stack([accuracy, spreads.predicted]), None
        if source is not None:
            line, held_out = stages.follow_source(source, held_out, targets, recipe)
        expected = scales.back(scales.bounded(held_out))
        others = tuple(
            stages.further_target(
                one,
                features,
                ranking,
                (*their_labels, labels),
                expected,
                scales,
                recipe,
            )
            for one, their_labels in more.items()
        )
        known = stages.weigh_known(held_out[:, 0], targets[:, 0], noise)
        scores = known if source is not None else calibration.inverse(known)
        self.model_ = SurrogateModel(
            space=space,
            hardware=hardware,
            scales=scales,
            ranker=ranking.trees,
            spread_trees=spreads.trees,
            process=ranking.process,
            spread_process=spreads.process,
            mixture=spreads.mixture,
            calibration=calibration,
            residuals=stages.intervals(held_out, one_each, scales),
            variation=variation,
            known=KnownNetworks(X, scores),
            source=self.source,
            line=line,
            further=others,
            settings={name: kind(getattr(self, name)) for name, (_, _, kind) in SETTINGS.items()},
            provenance={**(provenance or {}), **self._started_from(), "versions": versions()},
        )
        return self

    def predict(self, X: Population) -> Values:
        """``(n, 3)``: targets in the order of `DEFAULT_NAMES`, for ``(n, g)`` genomes.

        Raises:
            sklearn.exceptions.NotFittedError: `fit` was not called.
            InvalidValueError: the genomes do not fit the space.
        """
        return self._fitted().predict(X)

    def score(self, X: Population, y: npt.ArrayLike, sample_weight: None = None) -> float:  # noqa: ARG002 - sklearn's
        """Kendall's tau of the accuracies; see `metrics.tau_scorer` for the other targets."""
        return metrics.kendall_tau(np.asarray(y, dtype=np.float64)[:, 0], self.rank_scores(X))

    def estimate(self, population: Population) -> Estimate:
        """`SurrogateModel.estimate`."""
        return self._fitted().estimate(population)

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        """`SurrogateModel.quantile`."""
        return self._fitted().quantile(estimate, probability)

    def rank_scores(self, population: Population) -> Values:
        """`SurrogateModel.rank_scores`."""
        return self._fitted().rank_scores(population)

    @property
    def space_(self) -> Space:
        """Search space of the genomes."""
        return self._fitted().space

    @property
    def hardware_(self) -> dict[str, float]:
        """`Hardware.description()` of the chip."""
        return dict(self._fitted().hardware)

    @property
    def provenance_(self) -> dict[str, Any]:
        """Provenance of the rows, and versions of the packages."""
        return dict(self._fitted().provenance)

    @property
    def calibration_(self) -> Calibration:
        """Scores -> accuracies."""
        return self._fitted().calibration

    def _fitted(self) -> SurrogateModel:
        check_is_fitted(self)
        return self.model_

    def _features(
        self, space: Space, population: Population, hardware: Mapping[str, float]
    ) -> tuple[Features, Features | None]:
        """Features of training rows, and the source model's predictions, held out for rows that it was fitted to."""
        own = feature_matrix(space, population, hardware)
        if self.source is None:
            return own, None
        source = self.source.predict(population, hardware, unseen=True)
        return np.hstack([own, source]), source

    def _started_from(self) -> dict[str, str]:
        """Sources of the source model, for the provenance; empty without one."""
        return {} if self.source is None else {"started_from": ", ".join(self.source.sources)}

    def _known_space(self) -> Space:
        if self.space is None:
            raise InvalidValueError("a surrogate needs a space: Surrogate(space=...)")
        return self.space

    def _checked(self, X: Population, y: npt.ArrayLike) -> tuple[Population, Values]:
        X = self._known_space().check(X)
        for name, (low, high, kind) in SETTINGS.items():
            value = getattr(self, name)
            wanted = (int, np.integer) if kind is int else (int, float, np.bool_, np.integer, np.floating)
            if not isinstance(value, wanted) or not low <= value <= high:
                number = "a whole number" if kind is int else "a number"
                raise InvalidValueError(f"{name} is {value}; it must be {number} from {low:g} to {high:g}")
        if self.source is not None and self._known_space().has_chips:
            raise InvalidValueError("a source model cannot be used for co-design")
        labels = check_labels(y, len(X))
        different = len(np.unique(networks_of(X, len(self._known_space().networks.genes))))
        if different < FEWEST_ROWS:
            raise InvalidValueError(
                f"{different} architectures are too few for a surrogate; it needs at least {FEWEST_ROWS}"
            )
        return X, labels


def _variation(name: str) -> Target:
    """Return a target of `VARIATIONS`.

    Raises:
        UnknownNameError: the name is unknown.
        InvalidValueError: the target is no variation.
    """
    one = target(name)
    if one not in VARIATIONS:
        raise InvalidValueError(f"the variation is {name}, but must be {' or '.join(each.name for each in VARIATIONS)}")
    return one


def _further_labels(name: str, values: npt.ArrayLike, n: int) -> Values:
    """Check the labels of a further target.

    Raises:
        InvalidValueError: the labels have the wrong shape or are not finite.
    """
    labels = np.asarray(values, dtype=np.float64)
    if labels.shape != (n,) or not np.isfinite(labels).all():
        raise InvalidValueError(f"the labels of {name} must be {n} finite numbers; their shape is {labels.shape}")
    return labels


def _description(hardware: Hardware | Mapping[str, float] | None) -> dict[str, float]:
    chip = Hardware() if hardware is None else hardware
    return chip.description() if isinstance(chip, Hardware) else dict(chip)
