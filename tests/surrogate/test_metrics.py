"""Metrics against brute force and simulation."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ohmnas.surrogate.metrics import kendall_tau, noise_ceiling, noise_ceiling_interval, precision_at, spearman

Values = npt.NDArray[np.float64]

pairs = st.integers(2, 25).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.integers(0, 9).map(float)),
        arrays(np.float64, n, elements=st.integers(0, 9).map(float)),
    )
)
orders = st.integers(2, 30).flatmap(lambda n: st.tuples(st.permutations(range(n)), st.permutations(range(n))))


@given(pairs)
@settings(max_examples=100)
def test_kendall_tau_counts_pairs(sample: tuple[Values, Values]) -> None:
    """Tau-b: (concordant - discordant) / sqrt(pairs untied in one * pairs untied in the other)."""
    x, y = (np.sign(values[:, None] - values[None, :]) for values in sample)
    untied = (x**2).sum() * (y**2).sum()
    tau = kendall_tau(*sample)
    if untied == 0:
        assert math.isnan(tau)
    else:
        assert tau == pytest.approx((x * y).sum() / math.sqrt(untied))


@given(pairs)
@settings(max_examples=100)
def test_spearman_is_the_correlation_of_the_ranks(sample: tuple[Values, Values]) -> None:
    ranks = [stats.rankdata(values) for values in sample]
    if any(np.ptp(rank) == 0 for rank in ranks):
        assert math.isnan(spearman(*sample))
    else:
        assert spearman(*sample) == pytest.approx(np.corrcoef(*ranks)[0, 1])


@given(orders, st.floats(0.01, 1.0), st.booleans())
@settings(max_examples=100)
def test_precision_is_the_share_of_the_chosen_that_are_among_the_best(
    sample: tuple[list[int], list[int]], share: float, smaller: bool
) -> None:
    truth, predicted = (np.array(order, dtype=np.float64) for order in sample)
    k = max(round(share * len(truth)), 1)
    limit = range(k) if smaller else range(len(truth) - k, len(truth))  # values are ranks
    hits = sum(t in limit and p in limit for t, p in zip(*sample, strict=True))
    assert precision_at(share, truth, predicted, smaller) == pytest.approx(hits / k)


@given(orders, st.floats(0.01, 1.0))
@settings(max_examples=50)
def test_precision_of_the_truth_is_one_and_direction_is_a_sign(
    sample: tuple[list[int], list[int]], share: float
) -> None:
    truth, predicted = (np.array(order, dtype=np.float64) for order in sample)
    assert precision_at(share, truth, truth) == 1.0
    assert precision_at(1.0, truth, predicted) == 1.0
    assert precision_at(share, truth, predicted) == precision_at(share, -truth, -predicted, smaller_is_better=True)


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0, 2.0])
def test_noise_ceiling_is_the_tau_of_the_truth_itself(noise: float, rng: np.random.Generator) -> None:
    truth = rng.standard_normal(6000)
    first, second = (truth + noise * rng.standard_normal(len(truth)) for _ in range(2))
    assert noise_ceiling(first, second) == pytest.approx(kendall_tau(truth, first), abs=0.03)


def test_noise_ceiling_is_above_the_agreement_of_two_measurements(rng: np.random.Generator) -> None:
    truth = rng.standard_normal(500)
    first, second = (truth + 0.5 * rng.standard_normal(500) for _ in range(2))
    assert kendall_tau(first, second) < noise_ceiling(first, second) < 1.0


def test_noise_ceiling_of_perfect_labels_is_one_and_of_pure_noise_zero() -> None:
    rising = np.arange(20.0)
    assert noise_ceiling(rising, rising) == pytest.approx(1.0)
    assert noise_ceiling(rising, -rising) == 0.0


def test_the_interval_of_the_noise_ceiling_has_its_nominal_coverage(rng: np.random.Generator) -> None:
    """Of 40 samples, 95 % are 38; fewer than 32 would happen to an honest interval once in 10,000."""
    truth = 2 / np.pi * np.arcsin(np.sqrt(1 / (1 + 0.5**2)))
    covered = 0
    for _ in range(40):
        values = rng.standard_normal(50)
        first, second = (values + 0.5 * rng.standard_normal(50) for _ in range(2))
        low, high = noise_ceiling_interval(first, second, resamples=100)
        assert low < noise_ceiling(first, second) < high
        covered += low <= truth <= high
    assert covered >= 32


def test_interval_of_the_noise_ceiling_shrinks_with_pairs_and_is_always_the_same(rng: np.random.Generator) -> None:
    truth = rng.standard_normal(400)
    first, second = (truth + 0.5 * rng.standard_normal(400) for _ in range(2))
    wide, narrow = (noise_ceiling_interval(first[:n], second[:n], resamples=200) for n in (25, 400))
    assert np.ptp(narrow) < 0.5 * np.ptp(wide)
    assert noise_ceiling_interval(first[:25], second[:25], resamples=200) == wide


def test_constant_values_have_no_correlation_and_give_no_warning() -> None:
    constant, rising = np.ones(5), np.arange(5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(kendall_tau(constant, rising))
        assert math.isnan(spearman(constant, rising))
        assert math.isnan(noise_ceiling(constant, rising))
        assert all(math.isnan(end) for end in noise_ceiling_interval(constant, rising))
        assert math.isnan(precision_at(0.1, constant, rising))
        assert math.isnan(precision_at(0.1, rising, constant))
