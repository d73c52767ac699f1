"""The ranker learns an order, the regressor a function, the calibration a monotone map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import heads
from ohmnas.surrogate.heads import Calibration, TreeSettings
from ohmnas.surrogate.metrics import kendall_tau

from . import conftest

FAST = TreeSettings(**conftest.FAST)

Values = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]


@pytest.fixture
def features(rng: np.random.Generator) -> Matrix:
    return rng.random((240, 3), dtype=np.float32)


def labels_of(features: Matrix) -> Values:
    """Monotone in two features, the third is a distraction."""
    return np.asarray(2.0 * features[:, 0].astype(np.float64) + features[:, 1].astype(np.float64) ** 2)


def test_ranker_recovers_a_monotone_order_on_rows_it_never_saw(features: Matrix) -> None:
    labels = labels_of(features)
    ranker = heads.fit_ranker(features[:160], labels[:160], 0.1, replace(FAST, columns=1.0), 0)
    assert kendall_tau(labels[160:], heads.predict(ranker, features[160:])) > 0.85


def test_ranker_learns_from_the_order_of_the_labels_alone(features: Matrix) -> None:
    ranks = np.argsort(np.argsort(labels_of(features))).astype(np.float64)
    one = heads.fit_ranker(features, ranks, 0.1, FAST, 0)
    other = heads.fit_ranker(features, np.sqrt(ranks) - 3.0, 0.1, FAST, 0)
    assert_array_equal(heads.predict(one, features), heads.predict(other, features))


def test_ranker_of_reversed_labels_ranks_in_reverse(features: Matrix) -> None:
    ranker = heads.fit_ranker(features, labels_of(features), 0.1, FAST, 0)
    reverse = heads.fit_ranker(features, -labels_of(features), 0.1, FAST, 0)
    assert_allclose(heads.predict(reverse, features), -heads.predict(ranker, features), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2])
def test_margin_sets_the_scale_of_the_scores(features: Matrix, margin: float) -> None:
    unit = heads.predict(heads.fit_ranker(features, labels_of(features), margin, FAST, 0), features)
    double = heads.predict(heads.fit_ranker(features, labels_of(features), 2 * margin, FAST, 0), features)
    assert np.ptp(double) > 1.3 * np.ptp(unit)


def test_regressor_recovers_a_function_on_rows_it_never_saw(features: Matrix) -> None:
    labels = labels_of(features)
    labels -= labels.mean()
    model = heads.fit_regressor(features[:160], labels[:160], replace(FAST, rounds=200), 0)
    error = heads.predict(model, features[160:]) - labels[160:]
    assert np.mean(error**2) < 0.05 * np.mean(labels**2)


def test_labels_without_differences_are_predicted_as_zero(features: Matrix) -> None:
    zeros = np.zeros(len(features))
    assert not heads.predict(heads.fit_regressor(features, zeros, FAST, 0), features).any()
    assert not heads.predict(heads.fit_ranker(features, zeros, 0.1, FAST, 0), features).any()


def test_seed_decides_what_each_tree_sees(features: Matrix) -> None:
    labels = labels_of(features)
    settings_ = replace(FAST, subsample=0.5)
    one, same, other = (heads.fit_ranker(features, labels, 0.1, settings_, seed).save_raw("json") for seed in (1, 1, 2))
    assert one == same
    assert one != other


sizes = st.integers(2, 40)
measured = sizes.flatmap(
    lambda n: st.tuples(
        arrays(np.float32, n, elements=st.floats(-8, 8, width=32, allow_subnormal=False)),
        arrays(np.float64, n, elements=st.integers(0, 400).map(lambda hits: hits / 400)),
    )
)
"""Scores as the ranker gives them, in float32, and accuracies on 400 images."""


@given(measured, arrays(np.float64, 30, elements=st.floats(-10, 10)))
@settings(max_examples=100)
def test_calibration_never_decreases_and_gives_fractions(sample: tuple[Matrix, Values], probes: Values) -> None:
    scores, values = sample[0].astype(np.float64), sample[1]
    calibration = Calibration.fit(scores, values)
    calibrated = calibration(np.sort(probes))
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


@given(measured)
@settings(max_examples=100)
def test_calibration_is_strictly_increasing_between_its_knots(sample: tuple[Matrix, Values]) -> None:
    calibration = Calibration.fit(sample[0].astype(np.float64), sample[1])
    assert (np.diff(calibration.scores) > 0).all()
    assert (np.diff(calibration.values) > 0).all()
    assert_array_equal(calibration(calibration.scores), calibration.values)


@given(measured)
@settings(max_examples=50)
def test_calibration_of_scores_in_the_right_order_is_exact(sample: tuple[Matrix, Values]) -> None:
    values = np.unique(sample[1])
    scores = np.linspace(-1.0, 2.0, len(values))
    assert_allclose(Calibration.fit(scores, values)(scores), values, atol=1e-12)


def test_calibration_of_scores_in_the_wrong_order_is_the_mean() -> None:
    scores, values = np.arange(10.0), np.linspace(0.9, 0.1, 10)
    assert_allclose(Calibration.fit(scores, values)(np.array([-5.0, 3.0, 50.0])), 0.5)


@given(measured)
@settings(max_examples=100)
def test_calibration_is_strictly_increasing_beyond_both_ends(sample: tuple[Matrix, Values]) -> None:
    scores, values = sample[0].astype(np.float64), sample[1]
    calibration = Calibration.fit(scores, values)
    assume(len(calibration.scores) > 1)
    first, last = calibration.scores[[0, -1]]
    beyond = np.linspace(0.0, 0.5, 6) * (last - first)
    above, below = calibration(last + beyond), calibration(first - beyond)
    assert (np.diff(above) > 0).all() or above[0] == 1.0
    assert (np.diff(below) < 0).all() or below[0] == 0.0
    assert 0.0 <= below[-1] < above[-1] <= 1.0


def test_calibration_goes_on_with_the_slope_of_its_ends_and_bends_towards_the_bounds() -> None:
    calibration = Calibration(np.array([0.0, 2.0]), np.array([0.4, 0.8]))
    assert_allclose(calibration(np.array([0.5, 1.0])), [0.5, 0.6])
    step = 1e-6
    assert_allclose(calibration(np.array([-step, 2 + step])), [0.4 - 0.2 * step, 0.8 + 0.2 * step], rtol=0, atol=1e-11)
    assert_allclose(calibration(np.array([-1e9, 1e9])), [0.0, 1.0], atol=1e-6)


def test_a_steep_last_pair_of_knots_does_not_decide_how_a_calibration_goes_on() -> None:
    even = np.linspace(0.0, 1.0, 11)
    gentle = Calibration(even, 0.5 + 0.1 * even)
    steep = Calibration(np.append(even, 1.0001), np.append(0.5 + 0.1 * even, 0.61))
    rise = [float(np.ptp(one(one.scores[-1] + np.array([0.0, 0.1])))) for one in (gentle, steep)]
    assert rise[0] < rise[1] < 2 * rise[0]


@pytest.mark.parametrize(
    ("scores", "values", "message"),
    [
        ([], [], "at least one"),
        ([0.0], [0.5, 0.6], "as many scores as values"),
        ([1.0, 0.0], [0.5, 0.6], "do not increase"),
        ([0.0, 1.0], [0.5, 0.5], "do not increase"),
        ([0.0, 1.0], [50.0, 60.0], "fractions from 0 to 1, not 50 to 60"),
        ([0.0, float("nan")], [0.5, 0.6], "do not increase"),
    ],
)
def test_knots_that_are_no_calibration_are_refused(scores: list[float], values: list[float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Calibration(np.array(scores), np.array(values))
