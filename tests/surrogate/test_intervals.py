"""Conformal bounds: they hold as often as they say, where residuals are large and where they are small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.intervals import MOST_RESIDUALS, Residuals, Values


def drawn(n: int, seed: int) -> tuple[Values, Values]:
    """Positions and residuals that spread the more the lower the position, and lean to one side."""
    rng = np.random.default_rng(seed)
    positions = rng.random(n)
    return positions, (0.01 + 0.2 * (1 - positions)) * (rng.exponential(size=n) - 0.5)


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("half", ["low", "high"])
def test_bounds_hold_as_often_as_they_say_in_either_half(probability: float, half: str) -> None:
    learned = Residuals.fit(*drawn(600, seed=0))
    positions, residuals = drawn(20_000, seed=1)
    here = positions < 0.5 if half == "low" else positions >= 0.5
    below = residuals[here] <= learned.quantile(positions[here], probability)
    assert below.mean() == pytest.approx(probability, abs=0.05)


@given(st.integers(1, 30), st.floats(0.01, 0.99), st.integers(0, 5))
@settings(max_examples=50)
def test_few_residuals_bound_outwards(n: int, probability: float, seed: int) -> None:
    """Of n residuals at one position, a bound leaves at most the stated share of n + 1 beyond it, as far as n go."""
    residuals = np.random.default_rng(seed).normal(size=n)
    bound = float(Residuals.fit(np.zeros(n), residuals).quantile(np.zeros(1), probability)[0])
    beyond = int((residuals > bound + 1e-12).sum())
    if probability >= 0.5:
        assert beyond <= max((1 - probability) * (n + 1), 0) + 1e-9
    else:
        assert n - beyond <= max(probability * (n + 1), 1) + 1e-9


def test_many_residuals_are_kept_as_evenly_spaced_ones() -> None:
    positions, residuals = drawn(5000, seed=2)
    learned = Residuals.fit(positions, residuals)
    assert len(learned.normalised) == MOST_RESIDUALS
    assert learned.normalised[0] <= np.quantile(learned.normalised, 0.001)
    assert (residuals <= learned.quantile(positions, 0.9)).mean() == pytest.approx(0.9, abs=0.01)


def test_perfect_predictions_have_intervals_of_no_width() -> None:
    learned = Residuals.fit(np.linspace(0, 1, 50), np.zeros(50))
    assert_allclose(learned.quantile(np.linspace(-1, 2, 7), 0.95), 0.0)


def test_positions_may_all_be_one() -> None:
    learned = Residuals.fit(np.full(40, 0.3), np.linspace(-1, 1, 40))
    assert learned.quantile(np.array([0.0, 0.3, 1.0]), 0.9) == pytest.approx(np.full(3, 0.85), abs=0.1)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, float("nan")])
def test_probabilities_are_between_0_and_1(probability: float) -> None:
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        Residuals.fit(*drawn(20, seed=0)).quantile(np.zeros(1), probability)


@pytest.mark.parametrize(
    ("positions", "scales", "normalised"),
    [
        ([], [], [0.0]),
        ([0.0, 1.0], [1.0], [0.0]),
        ([1.0, 0.0], [1.0, 1.0], [0.0]),
        ([0.0], [0.0], [0.0]),
        ([0.0], [1.0], []),
        ([0.0], [1.0], [1.0, 0.0]),
    ],
)
def test_invalid_residuals_are_refused(positions: list[float], scales: list[float], normalised: list[float]) -> None:
    with pytest.raises(InvalidValueError, match="intervals"):
        Residuals(np.array(positions), np.array(scales), np.array(normalised))
