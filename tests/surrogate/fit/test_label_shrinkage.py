"""Clearing: nearer to the truth than the label, and harmless where views say nothing."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.surrogate.fit.label_shrinkage import Values, shrunk

CHIPS = 25


def measured(n: int = 300, seed: int = 0) -> tuple[Values, Values, Values]:
    """True logarithms, those of CHIPS normal accuracies, and views: the same at two other times, and one of nothing."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-4.0, 0.8, n)

    def read(logarithm: Values) -> Values:
        accuracies = np.exp(logarithm)[:, None] * rng.standard_normal((n, CHIPS))
        stds: Values = np.log(accuracies.std(axis=1, ddof=1))
        return stds

    return true, read(true), np.column_stack([read(true - 0.5), read(true + 0.3), rng.standard_normal(n)])


def test_a_cleared_label_is_nearer_to_the_truth() -> None:
    true, log_stds, views = measured()
    errors = [float(np.square(found - true).mean()) for found in (shrunk(log_stds, views, CHIPS), log_stds)]
    assert errors[0] < 0.7 * errors[1]


def test_views_that_say_nothing_leave_labels_nearly_as_they_are() -> None:
    _, log_stds, views = measured()
    found = shrunk(log_stds, views[:, 2:], CHIPS)
    assert np.corrcoef(found, log_stds)[0, 1] > 0.99
    assert 0.85 < found.std() / log_stds.std() < 1.0
    assert_array_equal(shrunk(log_stds, np.zeros((300, 2)), CHIPS), log_stds)


def test_more_chips_leave_less_to_clear() -> None:
    _, log_stds, views = measured()
    moved = [np.abs(shrunk(log_stds, views, chips) - log_stds).mean() for chips in (CHIPS, 1000)]
    assert moved[1] < 0.8 * moved[0]


def test_labels_without_differences_stay() -> None:
    _, _, views = measured()
    same = np.full(300, -3.0)
    assert_allclose(shrunk(same, views, CHIPS), same)
