"""Gaussian processes: against scikit-learn's, and what a mean of many rows must do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENES
from ohmnas.surrogate import process as module
from ohmnas.surrogate.heads import Values
from ohmnas.surrogate.process import Kernel, Process, Single

F = GENES + 4


def drawn(n: int, seed: int) -> tuple[Single, Values]:
    """Features of which one gene and two others matter, smoothly."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, F)).astype(np.float32)
    exact = features.astype(np.float64)
    labels = np.sin(exact[:, GENES]) + 0.5 * exact[:, GENES + 1] + 0.1 * exact[:, 0]
    return features, np.column_stack([labels, -labels])


def test_it_is_scikit_learns_process_with_the_same_kernel() -> None:
    features, labels = drawn(80, seed=0)
    kernel = Kernel(6.0, np.array([0.1, 0.3]))
    process = Process.fit(features, labels, kernel)
    unseen, _ = drawn(40, seed=1)
    scale = features.std(axis=0, dtype=np.float64) / np.where(np.arange(F) < GENES, module.GENE_WEIGHT, 1.0)
    for column, noise in enumerate(kernel.noise):
        other = GaussianProcessRegressor(Matern(6.0, nu=1.5), alpha=noise, optimizer=None)
        level = labels[:, column].mean()
        other.fit(features / scale, labels[:, column] - level)
        assert_allclose(process.predict(unseen)[:, column], other.predict(unseen / scale) + level, atol=1e-3)


def test_a_fitted_kernel_predicts_rows_it_never_saw() -> None:
    features, labels = drawn(200, seed=0)
    unseen, truth = drawn(200, seed=1)
    found = Process.fit(features, labels, Kernel.fit(features, labels)).predict(unseen)
    assert ((found - truth) ** 2).mean() < 0.35 * truth.var()
    assert_allclose(found[:, 0], -found[:, 1], atol=0.05)


def test_features_that_never_vary_do_not_matter() -> None:
    features, labels = drawn(60, seed=0)
    kernel = Kernel(6.0, np.array([0.1, 0.1]))
    wider = np.column_stack([features, np.full(60, 0.06, dtype=np.float32)])
    expected = Process.fit(features, labels, kernel).predict(features)
    assert_allclose(Process.fit(wider, labels, kernel).predict(wider), expected, atol=1e-5)


def test_labels_without_differences_are_what_is_expected_everywhere() -> None:
    features, labels = drawn(40, seed=0)
    labels = np.full_like(labels, 0.7)
    found = Process.fit(features, labels, Kernel.fit(features, labels)).predict(features)
    assert_allclose(found, 0.7, atol=1e-6)


def test_more_rows_than_most_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 50)
    monkeypatch.setattr(module, "LIKELIHOOD_ROWS", 30)
    features, labels = drawn(200, seed=0)
    kernel = Kernel.fit(features, labels, seed=1)
    one, same, other = (Process.fit(features, labels, kernel, seed) for seed in (1, 1, 2))
    assert one.inputs.shape == (50, F)
    assert_array_equal(one.inputs, same.inputs)
    assert not np.array_equal(one.inputs, other.inputs)


def test_many_rows_are_predicted_in_parts_as_one_by_one() -> None:
    features, labels = drawn(60, seed=0)
    process = Process.fit(features, labels, Kernel(6.0, np.array([0.1, 0.1])))
    many, _ = drawn(1100, seed=2)
    together = process.predict(many)
    for row in (0, 511, 512, 1099):
        assert_allclose(together[row], process.predict(many[row : row + 1])[0], atol=1e-5)


def test_what_is_none_is_refused() -> None:
    rows, weights = np.zeros((2, 3), dtype=np.float32), np.zeros((2, 1), dtype=np.float32)
    Process(np.zeros(3), np.ones(3), rows, weights, np.zeros(1))
    for broken in (
        (np.zeros(3), np.ones(3), rows[:0], weights[:0], np.zeros(1)),
        (np.zeros(4), np.ones(3), rows, weights, np.zeros(1)),
        (np.zeros(3), np.ones(3), rows, weights[:1], np.zeros(1)),
        (np.zeros(3), np.ones(3), rows, weights, np.zeros(2)),
    ):
        with pytest.raises(InvalidValueError, match="process"):
            Process(*broken)
