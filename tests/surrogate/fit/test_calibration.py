"""A calibration is isotonic regression whose steps became lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.surrogate.fit.calibration import fit_calibration

Values = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

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
    calibration = fit_calibration(scores, values)
    calibrated = calibration(np.sort(probes))
    assert (np.diff(calibrated) >= 0).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()


@given(measured)
@settings(max_examples=100)
def test_calibration_is_strictly_increasing_between_its_knots(sample: tuple[Matrix, Values]) -> None:
    calibration = fit_calibration(sample[0].astype(np.float64), sample[1])
    assert (np.diff(calibration.scores) > 0).all()
    assert (np.diff(calibration.values) > 0).all()
    assert_array_equal(calibration(calibration.scores), calibration.values)


@given(measured)
@settings(max_examples=50)
def test_calibration_of_scores_in_the_right_order_is_exact(sample: tuple[Matrix, Values]) -> None:
    values = np.unique(sample[1])
    scores = np.linspace(-1.0, 2.0, len(values))
    assert_allclose(fit_calibration(scores, values)(scores), values, atol=1e-12)


def test_calibration_of_scores_in_the_wrong_order_is_the_mean() -> None:
    scores, values = np.arange(10.0), np.linspace(0.9, 0.1, 10)
    assert_allclose(fit_calibration(scores, values)(np.array([-5.0, 3.0, 50.0])), 0.5)


@given(measured)
@settings(max_examples=100)
def test_calibration_is_strictly_increasing_beyond_both_ends(sample: tuple[Matrix, Values]) -> None:
    scores, values = sample[0].astype(np.float64), sample[1]
    calibration = fit_calibration(scores, values)
    assume(len(calibration.scores) > 1)
    first, last = calibration.scores[[0, -1]]
    beyond = np.linspace(0.0, 0.5, 6) * (last - first)
    above, below = calibration(last + beyond), calibration(first - beyond)
    assert (np.diff(above) > 0).all() or above[0] == 1.0
    assert (np.diff(below) < 0).all() or below[0] == 0.0
    assert 0.0 <= below[-1] < above[-1] <= 1.0
