"""Rank agreement with measured rows: of a supernet, a surrogate, parameters and MACs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.estimator import SupernetEstimator
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.score import FOLDS
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import ACCURACY

Values = npt.NDArray[np.float64]

FEWEST: Final = 10
"""Smallest number of measured networks for an agreement."""
BEST: Final = 3
"""The best 1 / `BEST` of the networks, by measured accuracy, are also compared separately."""
RESAMPLES: Final = 200
"""Bootstrap draws for a standard error."""
SUPERNET: Final = "supernet"
SURROGATE: Final = "surrogate"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kendall's tau of one predictor with the measured labels."""

    tau: Mapping[str, float]
    """Target -> tau over all networks."""
    error: Mapping[str, float]
    """Target -> standard error of tau, by a bootstrap over networks."""
    best_third: float
    """Tau of the accuracy over the best third of the networks by measured accuracy."""
    best_third_error: float
    seconds: float
    """Processor time per network, in seconds."""


def agreement(
    estimator: SupernetEstimator,
    table: MeasuredTable,
    hardware: str | None = None,
    fidelity: str | None = None,
    most: int | None = None,
    seed: int = 0,
    surrogate: bool = True,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[int, dict[str, Agreement]]:
    """Compare readings of a supernet with the measured rows of its networks.

    Args:
        estimator: estimator of the supernet, which reads the networks.
        table: measured table of the same task and space.
        hardware: chip of the rows; None as in `MeasuredTable.select`.
        fidelity: fidelity of the rows; None as in `MeasuredTable.select`.
        most: largest number of networks, drawn at random; None uses all.
        seed: seed of the draw and of the surrogate's folds.
        surrogate: True to also cross-validate a surrogate on the table, in five folds over all of its architectures.
        report: called after each network with the number of networks read and the total.

    Returns:
        The number of networks, and predictor -> agreement. The predictors are ``supernet``, ``params``, ``macs`` and,
        if `surrogate` is set, ``surrogate``.

    Raises:
        InvalidValueError: the table is for another task, space or chip, or has too few networks of the supernet.
    """
    data = TrainingSet.of(table, hardware, fidelity)
    plan = estimator.supernet.plan
    for what, of_table, of_supernet in (
        ("task", table.card["task"], plan.task.name),
        ("space", str(table.space), str(plan.space)),
        ("chip", str(data.provenance["hardware"]), plan.chip.name),
    ):
        if of_table != of_supernet:
            raise InvalidValueError(
                f"table {table.source} is for the {what} {of_table}, but the supernet is for {of_supernet}"
            )
    rows = np.flatnonzero(plan.contains(data.population))
    if len(rows) < FEWEST:
        raise InvalidValueError(
            f"table {table.source} has {len(rows)} of the supernet's networks; a comparison needs at least {FEWEST}"
        )
    if most is not None and most < len(rows):
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:most])
    population = data.population[rows]
    labels = {name: data.single()[rows, column] for column, name in enumerate(data.target_names)}

    start = time.process_time()
    read = np.empty((len(rows), len(estimator.targets)))
    for row in range(len(rows)):
        read[row] = estimator.estimate(population[row : row + 1]).values[0]
        report(row + 1, len(rows))
    values = {target.name: read[:, column] for column, target in enumerate(estimator.targets)}
    found = {SUPERNET: _agreement(labels, values, (time.process_time() - start) / len(rows), seed)}
    if surrogate:
        found[SURROGATE] = _agreement(labels, *_cross_validated(data, rows, seed), seed)
    params, macs = (costs.astype(np.float64) for costs in plan.space.params_and_macs(population))
    for name, sizes in (("params", params), ("macs", macs)):
        found[name] = _agreement(labels, dict.fromkeys(data.target_names, sizes), 0.0, seed)
    return len(rows), found


def _cross_validated(data: TrainingSet, rows: npt.NDArray[np.intp], seed: int) -> tuple[dict[str, Values], float]:
    """Target -> predictions of surrogates that were not trained on the row, and seconds per prediction."""
    predicted = np.empty((len(data.population), len(data.target_names)))
    seconds = 0.0
    for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(data.population):
        model = Surrogate.learn(data.take(train), seed=seed).model_
        start = time.process_time()
        predicted[test] = model.estimate(data.population[test]).values
        seconds += time.process_time() - start
    return dict(zip(data.target_names, predicted[rows].T, strict=True)), seconds / len(data.population)


def _agreement(labels: Mapping[str, Values], values: Mapping[str, Values], seconds: float, seed: int) -> Agreement:
    """Agreement over the targets that were measured and predicted."""
    both = [name for name in labels if name in values]
    pairs = {name: _tau(labels[name], values[name], seed) for name in both}
    tau, errors = ({name: pair[place] for name, pair in pairs.items()} for place in (0, 1))
    accuracy = labels[ACCURACY.name]
    best = np.argsort(-accuracy, kind="stable")[: -(-len(accuracy) // BEST)]
    third, error = _tau(accuracy[best], values[ACCURACY.name][best], seed)
    return Agreement(tau, errors, third, error, seconds)


def _tau(labels: Values, values: Values, seed: int) -> tuple[float, float]:
    """Kendall's tau and its standard error; NaN if one input is constant."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(labels), size=(RESAMPLES, len(labels)))
    if np.ptp(labels) == 0 or np.ptp(values) == 0:
        return float("nan"), float("nan")
    resampled = [kendall_tau(labels[rows], values[rows]) for rows in draws]
    return kendall_tau(labels, values), float(np.nanstd(resampled))
