"""`SurrogateModel`: a fitted surrogate that predicts with NumPy only.

It is a record of arrays. The package `fit` creates one from measured rows, and `model_file` writes it to a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import Features, feature_matrix, feature_names
from ohmnas.surrogate.forest import Forest
from ohmnas.surrogate.further import FurtherTarget, from_scale, to_scale
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.known import KnownNetworks
from ohmnas.surrogate.mixture import Mixture
from ohmnas.surrogate.process import GaussianProcess
from ohmnas.surrogate.scales import Scales, Values
from ohmnas.surrogate.transfer import Line, SourceModel
from ohmnas.surrogate.trees import Trees
from ohmnas.targets import ACCURACY, DEFAULT_NAMES, SPREAD, VARIATION, VARIATIONS, Target
from ohmnas.threads import by_blocks

_AT_ONCE: Final = 2500
"""Rows per block of a thread; with fewer, threads wait for the interpreter lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurrogateModel(Estimator):
    """Predicts the 1-day accuracy, its standard deviation and the AVM of architectures on one chip.

    The score of an architecture is the sum of the score of a ranking tree ensemble and the rank predicted by a Gaussian
    process, each divided by its standard deviation. The calibration maps the score to an accuracy. Trees and a process
    that also use the score predict the other two targets.
    """

    space: Space = field()  # without `field()`, the property of `Estimator` would be the default value
    """Search space of the genomes."""
    hardware: Mapping[str, float]
    """`Hardware.description()` of the chip; in a space with chips, the genomes include the chip."""
    scales: Scales
    """Scales of the targets. Standard deviations are not predicted below their `std_floor`."""
    ranker: Trees
    """Ranks accuracies."""
    spread_trees: tuple[Trees, Trees]
    """Predict the logarithm of the standard deviation and the AVM, each minus its mean."""
    process: GaussianProcess
    """Predicts ranks of accuracies."""
    spread_process: GaussianProcess
    """Predicts the logarithm of the standard deviation and the AVM."""
    mixture: Mixture
    calibration: Calibration
    """Scores -> accuracies."""
    residuals: tuple[Residuals, ...]
    """Residuals of each of `DEFAULT_NAMES`, for intervals."""
    variation: Target = VARIATION
    """Third target, one of `targets.VARIATIONS`."""
    known: KnownNetworks
    """Scores of the training rows."""
    source: SourceModel | None = None
    """Model of other chips or tasks; its predictions are the last features."""
    line: Line | None = None
    """Linear model on the source's predictions; None without a source."""
    further: tuple[FurtherTarget, ...] = ()
    """Targets that the surrogate can predict in addition; see `predicting`."""
    selected: tuple[str, ...] = ()
    """Names of the further targets that `estimate` returns. Each takes time, so none is selected by default."""
    settings: Mapping[str, float | bool] = field(default_factory=dict)
    """Settings of the fit, for information."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Table, task, hardware, fidelity, rows, range of costs, versions."""
    _forests: tuple[Forest, Forest] = field(init=False, repr=False, compare=False)
    _selected: tuple[FurtherTarget, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the trees and check that all parts use the same features.

        Raises:
            InvalidValueError: the parts do not fit together.
        """
        features = len(feature_names(self.space, self.hardware)) + (0 if self.source is None else len(DEFAULT_NAMES))
        if (self.source is None) != (self.line is None):
            raise InvalidValueError("a source model and its line must be given together")
        for process, width, labels in ((self.process, features, 1), (self.spread_process, features + 1, 2)):
            if len(process.levels) != labels or process.columns.max(initial=-1) >= width:
                raise InvalidValueError(f"a Gaussian process must have {labels} labels and {width} features")
        if len(self.residuals) != len(DEFAULT_NAMES) or len(self.spread_trees) != len(DEFAULT_NAMES) - 1:
            raise InvalidValueError(f"residuals and trees must be for {', '.join(DEFAULT_NAMES)}")
        if self.variation not in VARIATIONS:
            raise InvalidValueError(f"{self.variation.name} is not a variation of the accuracy")
        if self.known.genomes.shape[1] != len(self.space.gene_names):
            raise InvalidValueError(f"the genes of the training rows do not match the {self.space.name} space")
        further = {one.target.name: one for one in self.further}
        if unknown := [name for name in self.selected if name not in further]:
            raise InvalidValueError(f"the surrogate has not learned {', '.join(unknown)}")
        selected = tuple(further[name] for name in self.selected)
        spreads = [*self.spread_trees, *(one.trees for one in selected)]
        object.__setattr__(self, "_selected", selected)
        object.__setattr__(self, "_forests", (Forest.of([self.ranker], features), Forest.of(spreads, features + 1)))

    @property
    def targets(self) -> tuple[Target, ...]:
        """1-day accuracy, its standard deviation, accuracy variation over one month, then the selected targets."""
        return (ACCURACY, SPREAD, self.variation, *(one.target for one in self._selected))

    def predicting(self, names: Iterable[str]) -> Self:
        """Return a surrogate that also predicts these targets.

        Raises:
            InvalidValueError: the surrogate did not learn a target; the message lists the targets that it learned.
        """
        predicted = [one.name for one in self.targets]
        wanted = [name for name in dict.fromkeys(names) if name not in predicted]
        known = [one.target.name for one in self.further]
        for name in wanted:
            if name not in known:
                learned = ", ".join([*(one.name for one in self.targets[: len(DEFAULT_NAMES)]), *known])
                raise InvalidValueError(f"this surrogate does not predict {name}; it predicts {learned}")
        return replace(self, selected=(*self.selected, *wanted)) if wanted else self

    @property
    def has_quantiles(self) -> bool:
        """True: the residuals give quantiles."""
        return True

    @property
    def best_known(self) -> float:
        """Accuracy at the last knot of the calibration.

        It is the mean label of the training networks with the highest scores, whose scores do not predict their order.
        """
        return float(self.calibration.values[-1])

    @property
    def forests(self) -> tuple[Forest, Forest]:
        """Prepared trees: the ranker on `features`, the others with the score as an additional feature."""
        return self._forests

    def predict(self, population: Population) -> Values:
        """``(n, t)``: values of `targets`, for ``(n, g)`` genomes."""
        return self.estimate(population).values

    def estimate(self, population: Population) -> Estimate:
        """Predict ``(n, g)`` architectures on the surrogate's chip.

        Accuracies of training rows come from `known`.

        Raises:
            InvalidValueError: the genomes do not fit the space.
        """
        return self._estimate(self._on_scales(population)[:, 1:])

    def rank_scores(self, population: Population) -> Values:
        """``(n,)``: scores that rank architectures as the accuracies do; they separate even nearly equal accuracies."""
        return self._on_scales(population)[:, 0]

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        """For each target, the value that the label of one training run stays below with this probability.

        Args:
            estimate: result of `estimate`.
            probability: above 0, below 1; 0.05 and 0.95 give an interval with 90 % of all labels.

        Raises:
            InvalidValueError: the probability is not between 0 and 1.
        """
        position = estimate[DEFAULT_NAMES[0]]
        values = self.scales.to(estimate.values[:, : len(DEFAULT_NAMES)])
        values += np.column_stack([residuals.quantile(position, probability) for residuals in self.residuals])
        columns = [self._fractions(values)]
        for one in self._selected:
            scaled = to_scale(one.target, estimate[one.target.name], self.scales.std_floor)
            moved = scaled + one.residuals.quantile(position, probability)
            columns.append(from_scale(one.target, moved, self.scales.std_floor)[:, None])
        return Estimate(self.targets, np.hstack(columns))

    def features(self, population: Population) -> Features:
        """``(n, f)``: features of ``(n, g)`` architectures: `feature_matrix`, then predictions of the source."""
        own = feature_matrix(self.space, population, self.hardware)
        return own if self.source is None else self.source.stacked(own, population, self.hardware, self.space)

    def forecast_features(self, features: Features) -> tuple[Values, Estimate]:
        """Predict from features, which need not belong to an architecture. Training rows are predicted like new ones.

        Args:
            features: ``(n, f)``, in the order of `features`.

        Returns:
            ``(n,)`` scores that rank the rows as the accuracies do, and the targets.
        """
        predicted = self._of_features(features)
        return predicted[:, 0], self._estimate(predicted[:, 1:])

    def save(self, path: str | Path) -> Path:
        """Write the surrogate to one file.

        Args:
            path: output file; ``.npz`` is added if missing.

        Returns:
            The path of the file.

        Raises:
            InvalidValueError: the provenance of the surrogate is incomplete.
            StorageError: the write failed; an existing file is unchanged.
        """
        from ohmnas.surrogate.model_file import save_model  # imports this module

        return save_model(self, path)

    def _on_scales(self, population: Population) -> Values:
        """``(n, 4 + k)``: scores, targets on their scales and differences; large populations are split over threads."""

        def predict(rows: Population) -> Values:
            predicted = self._of_features(self.features(rows))
            known, scores = self.known.find(rows)
            if len(known):
                predicted[known, 0] = scores
                predicted[known, 1] = scores if self.line is not None else self.calibration(scores)
            return predicted

        return by_blocks(predict, self.space.check(population), _AT_ONCE)

    def _of_features(self, features: Features) -> Values:
        """``(n, 4 + k)``: scores, accuracy, standard deviation and AVM on their scales (`scales`), then differences."""
        ranker, regressors = self._forests
        ranked = ranker.predict(features)[:, 0].astype(np.float64)
        scores = self.mixture.scores(ranked, self.process.predict(features)[:, 0])
        informed = with_score(features, scores)
        sums = regressors.predict(informed).astype(np.float64)
        labels = self.mixture.labels(sums[:, :2] + self.mixture.means, self.spread_process.predict(informed))
        predicted = np.column_stack([scores, self.calibration(scores), labels, sums[:, 2:]])
        if self.line is not None:
            predicted[:, 1:4] = self.line.blend(features[:, -len(DEFAULT_NAMES) :], predicted[:, 1:4])
            predicted[:, 0] = predicted[:, 1]
        return predicted

    def _estimate(self, values: Values) -> Estimate:
        """Convert default targets on their scales and differences of further targets, ``(n, 3 + k)``, to fractions."""
        defaults = self._fractions(values[:, : len(DEFAULT_NAMES)])
        further = [
            one.values(differences, defaults, self.scales)[:, None]
            for one, differences in zip(self._selected, values[:, len(DEFAULT_NAMES) :].T, strict=True)
        ]
        return Estimate(self.targets, np.hstack([defaults, *further]) if further else defaults)

    def _fractions(self, values: Values) -> Values:
        """Convert ``(n, 3)`` default targets on their scales to fractions."""
        fractions = self.scales.back(self.scales.bounded(values))
        np.maximum(fractions[:, 1], self.scales.std_floor, out=fractions[:, 1])
        return fractions


def with_score(features: Features, scores: Values) -> Features:
    """Append the scores to the features: ``(n, f)`` and ``(n,)`` -> ``(n, f + 1)``."""
    informed = np.empty((len(features), features.shape[1] + 1), dtype=np.float32)
    informed[:, :-1], informed[:, -1] = features, scores
    return informed
