"""Correct the winner's curse: shrink measurements of networks towards their predictions.

The best of many measurements is optimistic, because it is partly lucky (Smith and Winkler, *The Optimizer's Curse*,
Management Science 2006). The remedy is to compare posterior means. For each network and target, a normal prior and a
normal measurement are combined on the target's scale (Lindley and Smith, 1972; Efron and Morris, 1973):

    expected = predicted + share * (measured - predicted)
    share    = explained / (explained + noise / training runs)

`predicted` comes from a surrogate that was not fitted to the network (cross-fitting). `noise` is the variance between
training runs of one network, estimated from networks that were trained more than once. `explained` is the rest of the
variance of measurements around their predictions. Both variances are estimated from networks with a similar predicted
accuracy, because good networks vary less. If too few networks were trained more than once, a quarter of the variance
around the predictions counts as noise (`DEFAULT_NOISE`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate.fit.folds import folds
from ohmnas.surrogate.further import from_scale, to_scale
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import ACCURACY, Target

Values = npt.NDArray[np.float64]

FOLDS: Final = 5
"""Number of folds for held-out predictions. Each fold has a surrogate that is fitted to the networks of the others."""
ALIKE: Final = 40
"""Number of networks used for the variance around a network's prediction: those nearest in predicted accuracy."""
ALIKE_REPEATS: Final = 10
"""Number of networks used for the noise of a network: trained more than once, and nearest in predicted accuracy. On
digits, with 24 repeated networks, 8 to 12 are best. Worse networks have much more noise: using all 24 is worse than no
shrinkage."""
FEWEST_REPEATS: Final = 8
"""Smallest number of networks trained more than once that is needed to estimate the noise."""
DEFAULT_NOISE: Final = 0.25
"""Share of noise in the variance around predictions, if the noise cannot be estimated. For the networks with the best
predictions, the share that best predicts a second training run is 0.25 on spoken-digits, 0.1 on cifar10, and 0 to 0.1
on digits and people (shipped tables of protocol 3)."""
_SMALLEST: Final = 1e-12
"""Lower bound on variances, to avoid a division by 0."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Measured networks: measurements, held-out predictions, and best estimates from both."""

    population: Population
    """``(n, g)``."""
    trainings: npt.NDArray[np.intp]
    """``(n,)``: number of training runs."""
    measured: Estimate
    """Means over the training runs."""
    predicted: Estimate
    """Predictions of surrogates that were not fitted to the network."""
    expected: Estimate
    """Best estimates: the posterior means."""
    shares: Values
    """``(n, t)``: weight of the measurement, 0 to 1; the rest is the weight of the prediction."""

    def row(self, genome: Population) -> int | None:
        """Return the row of a ``(g,)`` genome, or None."""
        found = np.flatnonzero((self.population == genome).all(axis=1))
        return int(found[0]) if len(found) else None


def shrink(
    population: Population,
    trainings: npt.NDArray[np.intp],
    measured: Estimate,
    predicted: Estimate,
    within: Values,
    std_floor: float,
) -> Shrunk:
    """Combine measurements and predictions.

    Args:
        population: ``(n, g)``.
        trainings: ``(n,)``: number of training runs of each network.
        measured: means over the training runs.
        predicted: held-out predictions of the same targets.
        within: ``(n, t)``: variance between a network's training runs, on the targets' scales; NaN for one training
            run.
        std_floor: smallest standard deviation that the table can resolve, a fraction.
    """
    position = predicted[ACCURACY.name]
    shares = np.empty_like(measured.values)
    expected = np.empty_like(measured.values)
    for column, target in enumerate(measured.targets):
        m, p = (to_scale(target, estimate.values[:, column], std_floor) for estimate in (measured, predicted))
        explained, noise = _variances(m - p, within[:, column], trainings, position)
        shares[:, column] = explained / np.maximum(explained + noise / trainings, _SMALLEST)
        expected[:, column] = from_scale(target, p + shares[:, column] * (m - p), std_floor)
    return Shrunk(population, trainings, measured, predicted, Estimate(measured.targets, expected), shares)


def _variances(
    distances: Values, within: Values, trainings: npt.NDArray[np.intp], position: Values
) -> tuple[Values, Values]:
    """Return `explained` and `noise` (see the module) of each network, ``(n,)`` each."""
    repeated = np.flatnonzero(np.isfinite(within))
    explained, noise = np.empty(len(distances)), np.empty(len(distances))
    for row, centre in enumerate(position):
        alike = _nearest(position, centre, ALIKE)
        around = float(np.square(distances[alike]).mean())
        if len(repeated) < FEWEST_REPEATS:
            noise[row], explained[row] = DEFAULT_NOISE * around, (1.0 - DEFAULT_NOISE) * around
            continue
        near = repeated[_nearest(position[repeated], centre, ALIKE_REPEATS)]
        noise[row] = float(np.average(within[near], weights=trainings[near] - 1))
        explained[row] = around - noise[row] * float((1.0 / trainings[alike]).mean())
    return np.maximum(explained, _SMALLEST), np.maximum(noise, _SMALLEST)


def _nearest(position: Values, centre: float, most: int) -> npt.NDArray[np.intp]:
    """Return at most `most` rows, nearest to `centre` first."""
    return np.argsort(np.abs(position - centre), kind="stable")[:most]


def shrunk_labels(data: TrainingSet, rows: pd.DataFrame, fit: Callable[[TrainingSet], Estimator], seed: int) -> Shrunk:
    """Shrink the labels of a training set towards held-out predictions.

    Args:
        data: training set, with repeats averaged.
        rows: all rows of its networks, including repeats, as returned by `MeasuredTable.select`.
        fit: fits a surrogate to a training set.
        seed: seed of the folds.

    Raises:
        InvalidValueError: the networks of the rows differ from the networks of the training set.
    """
    genes = list(data.space.gene_names)
    trainings = rows.groupby(genes, sort=True).size()
    if not np.array_equal(trainings.index.to_frame(index=False).to_numpy(), data.population):
        raise InvalidValueError("the rows must belong to the networks of the training set, and include their repeats")
    parts = folds(data.population, len(data.space.networks.genes), FOLDS, seed)
    first = fit(data.take(parts[0][0]))
    targets = first.targets
    held_out = np.empty((len(data.population), len(targets)))
    for place, (train, test) in enumerate(parts):
        estimator = first if place == 0 else fit(data.take(train))
        held_out[test] = estimator.estimate(data.population[test]).values
    labels = np.column_stack([_label(data, target) for target in targets])
    scaled = pd.DataFrame(
        {one.name: to_scale(one, rows[one.name].to_numpy(np.float64), data.scales.std_floor) for one in targets},
        index=rows.index,
    )
    within = scaled.groupby([rows[name] for name in genes], sort=True).var(ddof=1)
    return shrink(
        data.population,
        trainings.to_numpy().astype(np.intp),
        Estimate(targets, labels),
        Estimate(targets, held_out),
        within.to_numpy(np.float64),
        data.scales.std_floor,
    )


def _label(data: TrainingSet, target: Target) -> Values:
    return data.labels[target.name] if target.name in data.labels else data.further(target.name)[0]


@dataclass(frozen=True)
class ShrunkEstimator(Estimator):
    """Returns best estimates for measured networks, and a surrogate's predictions for all others."""

    surrogate: Estimator
    shrunk: Shrunk

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of the surrogate."""
        return self.surrogate.targets

    @property
    def space(self) -> Space | None:
        """Space of the surrogate."""
        return self.surrogate.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Provenance of the surrogate."""
        return self.surrogate.provenance

    @property
    def has_quantiles(self) -> bool:
        """True if the surrogate predicts quantiles."""
        return self.surrogate.has_quantiles

    def predicting(self, names: Iterable[str]) -> ShrunkEstimator:
        """Return this estimator if it has these targets.

        Raises:
            InvalidValueError: the estimator lacks a target.
        """
        super().predicting(names)
        return self

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that the surrogate can estimate."""
        return self.surrogate.accepts(population)

    def estimate(self, population: Population) -> Estimate:
        """See `Estimator`."""
        estimate = self.surrogate.estimate(population)
        known = {genome.tobytes(): row for row, genome in enumerate(_rows(self.shrunk.population))}
        values = estimate.values.copy()
        for row, genome in enumerate(_rows(population)):
            if (there := known.get(genome.tobytes())) is not None:
                values[row] = self.shrunk.expected.values[there]
        return Estimate(estimate.targets, values)

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        """Quantiles of the surrogate around these values. For measured networks, intervals are wider than necessary."""
        return self.surrogate.quantile(estimate, probability)


def _rows(population: Population) -> Population:
    return np.ascontiguousarray(population, dtype=np.int16)
