"""`Surrogate`: three heads that learn a measured table and predict architectures that nobody has trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb
from sklearn.model_selection import KFold

from ohmnas.datasets import schema
from ohmnas.datasets.table import MeasuredTable, accuracy_std_floor, genomes
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENE_NAMES, Population
from ohmnas.spaces.hardware import DEVICE_ERRORS
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate import heads
from ohmnas.surrogate.features import Features, feature_matrix
from ohmnas.surrogate.heads import Calibration, TreeSettings, Values

HEADS = ("accuracy_1d", "accuracy_1d_std", "avm")
"""What is learned: 1-day accuracy, its standard deviation over chips, accuracy variation over one month."""
FEWEST_ROWS = 20
"""Below, folds for the calibration would hold one or two rows."""
CALIBRATION_FOLDS = 5
MARGINS = (0.05, 0.1, 0.15, 0.2)
"""AnalogNAS tried these; 0.1 is its choice and ours."""


@dataclass(frozen=True, slots=True)
class LearningSet:
    """A table as the surrogate sees it: one row for each architecture, repeats averaged."""

    space: ResNetSpace
    population: Population
    """``(n, g)``."""
    features: Features
    """``(n, f)``."""
    labels: dict[str, Values]
    """Head -> ``(n,)``."""
    hardware: dict[str, float]
    """`Hardware.description()` of the chip that was measured."""
    std_floor: float
    """Smallest standard deviation that the table resolves."""
    provenance: dict[str, Any]
    """Table, task, hardware, fidelity, rows, range of costs seen: kept in the header of a saved surrogate."""

    @classmethod
    def of(cls, table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> LearningSet:
        """The measured rows of one chip and one fidelity.

        Args:
            table: a checked table.
            hardware: which chip; None is the only one, or ``pcm`` among several.
            fidelity: which fidelity; None is the only one, or ``paper`` among several.

        Raises:
            InvalidValueError: the choice is left open or empty, or the table has too few rows.
        """
        frame = table.select(hardware, fidelity)
        means = frame.groupby(list(GENE_NAMES), sort=True)[[*HEADS, *schema.HARDWARE_COLUMNS]].mean().reset_index()
        if len(means) < FEWEST_ROWS:
            raise InvalidValueError(
                f"table {table.source} has {len(means)} measured architectures; a surrogate needs {FEWEST_ROWS} or more"
            )
        population = genomes(means)
        costs = table.space.layer_table(population)
        params, macs = costs.params(), costs.macs()
        seen = {"min_params": int(params.min()), "max_params": int(params.max()), "max_macs": int(macs.max())}
        settings = {name: float(means[name].iloc[0]) for name in schema.HARDWARE_COLUMNS}
        settings |= DEVICE_ERRORS[str(frame["technology"].iloc[0])]
        return cls(
            table.space,
            population,
            feature_matrix(table.space, population, settings),
            {head: means[head].to_numpy(dtype=np.float64) for head in HEADS},
            settings,
            accuracy_std_floor(frame),
            {
                "table_sha256": table.card["sha256"],
                "task": table.card["task"],
                "hardware": str(frame["hardware"].iloc[0]),
                "fidelity": str(frame["fidelity"].iloc[0]),
                "rows": len(means),
                "seen": seen,
            },
        )

    def take(self, rows: npt.NDArray[np.intp]) -> LearningSet:
        """The set with only these rows."""
        return LearningSet(
            self.space,
            self.population[rows],
            self.features[rows],
            {head: values[rows] for head, values in self.labels.items()},
            self.hardware,
            self.std_floor,
            self.provenance,
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the heads say of n architectures, each ``(n,)``, as fractions."""

    accuracy_1d: Values
    """Predicted mean accuracy one day after programming."""
    accuracy_1d_std: Values
    """Predicted standard deviation of it over chips; at least what the table can resolve."""
    avm: Values
    """Predicted accuracy variation over one month."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A fitted surrogate."""

    space: ResNetSpace
    hardware: Mapping[str, float]
    """`Hardware.description()` of the chip that it predicts."""
    std_floor: float
    """Smallest standard deviation that it predicts."""
    ranker: xgb.Booster
    calibration: Calibration
    std_model: xgb.Booster
    """Of the logarithm of the standard deviation, less `log_std_mean`; sees the ranker's score as a last feature."""
    log_std_mean: float
    avm_model: xgb.Booster
    """Of the AVM, less `avm_mean`; sees the ranker's score as a last feature."""
    avm_mean: float
    provenance: Mapping[str, Any]
    """Where its rows came from."""

    @classmethod
    def fit(
        cls, data: LearningSet, seed: int = 0, margin: float = 0.1, settings: TreeSettings | None = None
    ) -> Surrogate:
        """Learn the three heads.

        The spread over chips and the variation over time depend on how accurate a network is: near chance and near
        perfection both are small. So their regressors see the ranker's score as well; in training that of a ranker
        which did not see the row, as it will be for architectures that nobody measured.

        Args:
            data: at least `FEWEST_ROWS` architectures.
            seed: of row and feature sampling and of the calibration's folds.
            margin: of the pairwise hinge loss.
            settings: of the trees of all heads.

        Returns:
            The surrogate; the same data and seed give the same one.
        """
        settings = settings or TreeSettings()
        features, accuracy = data.features, data.labels["accuracy_1d"]
        unseen = np.empty(len(accuracy))
        for train, test in KFold(CALIBRATION_FOLDS, shuffle=True, random_state=seed).split(features):
            ranker = heads.fit_ranker(features[train], accuracy[train], margin, settings, seed)
            unseen[test] = heads.predict(ranker, features[test])
        log_std = np.log(np.maximum(data.labels["accuracy_1d_std"], data.std_floor))
        avm = data.labels["avm"]
        informed = _with_score(features, unseen)
        return cls(
            data.space,
            data.hardware,
            data.std_floor,
            heads.fit_ranker(features, accuracy, margin, settings, seed),
            Calibration.fit(unseen, accuracy),
            heads.fit_regressor(informed, log_std - log_std.mean(), settings, seed),
            float(log_std.mean()),
            heads.fit_regressor(informed, avm - avm.mean(), settings, seed),
            float(avm.mean()),
            data.provenance,
        )

    def predict(self, population: Population) -> Prediction:
        """Predict ``(n, g)`` architectures on the surrogate's chip."""
        return self.predict_features(feature_matrix(self.space, population, self.hardware))

    def predict_features(self, features: Features) -> Prediction:
        """Predict from ``(n, f)`` features."""
        scores = self.rank_scores(features)
        informed = _with_score(features, scores)
        log_std = heads.predict(self.std_model, informed) + self.log_std_mean
        return Prediction(
            self.calibration(scores),
            np.maximum(np.exp(np.minimum(log_std, 0.0)), self.std_floor),  # fractions spread by less than 1
            heads.predict(self.avm_model, informed) + self.avm_mean,
        )

    def rank_scores(self, features: Features) -> Values:
        """``(n,)``: the ranker's scores before calibration; only their order means something."""
        return heads.predict(self.ranker, features)


def _with_score(features: Features, scores: Values) -> Features:
    """``(n, f)`` and ``(n,)`` -> ``(n, f + 1)``."""
    return np.column_stack([features, scores]).astype(np.float32)
