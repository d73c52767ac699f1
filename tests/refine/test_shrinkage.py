from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.refine.shrinkage import Shrunk, ShrunkEstimator, shrink, shrunk_labels
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULTS
from tests.refine.conftest import Line


def drawn(n: int, around: float, noise: float, twice: int, rng: np.random.Generator) -> tuple[Shrunk, np.ndarray]:
    """Networks whose true accuracies vary around predictions; the first ones are trained twice. And the truth."""
    predicted = rng.uniform(0.6, 0.7, n)
    truth = predicted + rng.normal(0.0, around, n)
    first, second = truth + rng.normal(0.0, noise, (2, n))
    trainings = np.where(np.arange(n) < twice, 2, 1)
    measured = np.where(trainings == 2, (first + second) / 2, first)
    within = np.where(trainings == 2, (first - second) ** 2 / 2, np.nan)
    std, avm = np.full(n, 0.01), np.zeros(n)
    shrunk = shrink(
        np.arange(n, dtype=np.int16)[:, None],
        trainings.astype(np.intp),
        Estimate(DEFAULTS, np.column_stack([measured, std, avm])),
        Estimate(DEFAULTS, np.column_stack([predicted, std, avm])),
        np.column_stack([within, np.full(n, np.nan), np.full(n, np.nan)]),
        1e-3,
    )
    return shrunk, truth


@pytest.mark.parametrize(("around", "noise"), [(0.02, 0.01), (0.01, 0.02), (0.01, 0.01)])
def test_shares_are_those_of_the_closed_form(around: float, noise: float, rng: np.random.Generator) -> None:
    shrunk, _ = drawn(400, around, noise, 200, rng)
    for trainings in (1, 2):
        share = around**2 / (around**2 + noise**2 / trainings)
        assert_allclose(shrunk.shares[shrunk.trainings == trainings, 0].mean(), share, atol=0.1)


def test_the_best_is_no_longer_too_good(rng: np.random.Generator) -> None:
    raw, corrected = [], []
    for _ in range(30):
        shrunk, truth = drawn(60, 0.01, 0.02, 20, rng)
        best = int(np.argmax(shrunk.measured["accuracy_1d"]))
        raw.append(shrunk.measured["accuracy_1d"][best] - truth[best])
        best = int(np.argmax(shrunk.expected["accuracy_1d"]))
        corrected.append(shrunk.expected["accuracy_1d"][best] - truth[best])
    assert np.mean(raw) > 0.015
    assert abs(np.mean(corrected)) < 0.006


def test_without_repeats_a_quarter_is_noise(rng: np.random.Generator) -> None:
    shrunk, _ = drawn(30, 0.02, 0.01, 2, rng)
    assert_allclose(shrunk.shares[shrunk.trainings == 1, 0], 3 / 4)
    assert_allclose(shrunk.shares[shrunk.trainings == 2, 0], 6 / 7)


def test_measured_networks_have_their_estimates_and_others_predictions() -> None:
    table = read_table("digits")
    data = TrainingSet.of(table, "pcm").take(np.arange(0, 1113, 5))
    names = list(data.space.gene_names)
    kept = pd.DataFrame(data.population.astype(np.int64), columns=names)
    rows = table.select("pcm").merge(kept, on=names, how="inner", validate="many_to_one")
    shrunk = shrunk_labels(data, rows, Line, seed=0)
    with pytest.raises(InvalidValueError, match="must belong to the networks of the training set"):
        shrunk_labels(data, table.select("pcm"), Line, seed=0)
    assert shrunk.trainings.sum() == len(rows)
    assert shrunk.trainings.max() == 2
    estimator = ShrunkEstimator(Line(data), shrunk)
    estimate = estimator.estimate(data.population)
    assert_allclose(estimate.values, shrunk.expected.values)
    between = np.sort([shrunk.measured["accuracy_1d"], shrunk.predicted["accuracy_1d"]], axis=0)
    assert (shrunk.expected["accuracy_1d"] >= between[0] - 1e-12).all()
    assert (shrunk.expected["accuracy_1d"] <= between[1] + 1e-12).all()
    other = data.space.sample(20, np.random.default_rng(0), 50_000, 1e6)
    assert_allclose(estimator.estimate(other).values, Line(data).estimate(other).values)
    assert shrunk.row(data.population[3]) == 3
    assert shrunk.row(other[0]) is None
