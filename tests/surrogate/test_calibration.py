"""Calibrations: straight lines between knots, and on beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.calibration import Calibration


def test_a_calibration_extrapolates_with_its_end_slope_and_bends_towards_the_bounds() -> None:
    calibration = Calibration(np.array([0.0, 2.0]), np.array([0.4, 0.8]))
    assert_allclose(calibration(np.array([0.5, 1.0])), [0.5, 0.6])
    step = 1e-6
    assert_allclose(calibration(np.array([-step, 2 + step])), [0.4 - 0.2 * step, 0.8 + 0.2 * step], rtol=0, atol=1e-11)
    assert_allclose(calibration(np.array([-1e9, 1e9])), [0.0, 1.0], atol=1e-6)


def test_a_steep_last_pair_of_knots_does_not_determine_the_extrapolation() -> None:
    even = np.linspace(0.0, 1.0, 11)
    gentle = Calibration(even, 0.5 + 0.1 * even)
    steep = Calibration(np.append(even, 1.0001), np.append(0.5 + 0.1 * even, 0.61))
    rise = [float(np.ptp(one(one.scores[-1] + np.array([0.0, 0.1])))) for one in (gentle, steep)]
    assert rise[0] < rise[1] < 2 * rise[0]


@pytest.mark.parametrize(
    ("scores", "values", "message"),
    [
        ([], [], "at least one"),
        ([0.0], [0.5, 0.6], "a score and a value each"),
        ([1.0, 0.0], [0.5, 0.6], "must increase"),
        ([0.0, 1.0], [0.5, 0.5], "must increase"),
        ([0.0, 1.0], [50.0, 60.0], "fractions from 0 to 1, not 50 to 60"),
        ([0.0, float("nan")], [0.5, 0.6], "must increase"),
    ],
)
def test_invalid_knots_are_refused(scores: list[float], values: list[float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Calibration(np.array(scores), np.array(values))


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=12, unique=True),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20),
)
def test_the_inverse_gives_the_scores_of_accuracies_between_the_ends(levels: list[int], where: list[float]) -> None:
    values = np.sort(levels) / 1000
    calibration = Calibration(np.cumsum(1.0 + np.arange(len(values)) % 3), values)
    wanted = values[0] + np.array(where) * (values[-1] - values[0])
    assert_allclose(calibration(calibration.inverse(wanted)), wanted, atol=1e-9)


def test_the_inverse_extrapolates_and_stays_finite() -> None:
    calibration = Calibration(np.array([0.0, 2.0]), np.array([0.4, 0.8]))
    scores = calibration.inverse(np.array([0.0, 0.3, 0.85, 1.0]))
    assert_allclose(calibration(scores[1:3]), [0.3, 0.85], atol=1e-9)
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(scores).all()
    assert Calibration(np.array([1.5]), np.array([0.5])).inverse(np.array([0.2, 0.9])).tolist() == [1.5, 1.5]
