"""Kernels: lengths by group, and the gradient of what they minimise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from ohmnas.surrogate.features import GROUPS
from ohmnas.surrogate.fit import kernel as module
from ohmnas.surrogate.fit.kernel import Kernel
from ohmnas.surrogate.process import Single
from ohmnas.surrogate.scales import Values

SIZES = (4, 3, 3, 0, 1)


def drawn(n: int, seed: int = 0) -> tuple[Single, Values]:
    """Features in groups, of which the told one and one of structure matter."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, sum(SIZES))).astype(np.float32)
    exact = features.astype(np.float64)
    labels = np.sin(2.0 * exact[:, -1]) + 0.3 * exact[:, 4] + 0.1 * rng.standard_normal(n)
    return features, np.column_stack([labels, -labels])


def groups() -> np.ndarray:
    return np.repeat(np.arange(len(GROUPS)), SIZES)


def test_the_gradient_is_that_of_the_value() -> None:
    features, labels = drawn(40)
    squares = np.array([module._squares(features[:, groups() == group].astype(np.float64)) for group in (0, 1, 4)])
    start = np.log([25.0, 8.0, 2.0, 0.2, 0.2])
    targets = labels / labels.std(axis=0)
    for shift in (0.0, 0.5):
        error = check_grad(
            lambda x: module._negative_log_likelihood(x, squares, targets, start)[0],
            lambda x: module._negative_log_likelihood(x, squares, targets, start)[1],
            start + shift,
        )
        assert error < 1e-3


def test_without_its_prior_the_value_is_scikit_learns_likelihood() -> None:
    """At the variance that is best, which scikit-learn is told."""
    features, labels = drawn(40)
    exact, target = features.astype(np.float64), labels[:, :1] / labels[:, 0].std()
    at = np.log([3.0, 0.3])
    value, _ = module._negative_log_likelihood(at, module._squares(exact)[None], target, at)
    unscaled = Matern(3.0, nu=1.5) + WhiteKernel(0.3)
    variance = float(target[:, 0] @ np.linalg.solve(unscaled(exact), target[:, 0])) / len(target)
    kernel = ConstantKernel(variance) * Matern(3.0, nu=1.5) + WhiteKernel(0.3 * variance)
    other = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(exact, target[:, 0])
    constant = len(target) / 2 * (1.0 + np.log(2.0 * np.pi))
    assert value + constant == pytest.approx(-other.log_marginal_likelihood_value_, rel=1e-6)


def test_a_group_has_one_length_and_one_that_matters_a_shorter_one() -> None:
    features, labels = drawn(200)
    lengths = Kernel.fit(features, labels, groups()).lengths
    assert lengths.shape == (sum(SIZES),)
    assert all(len(set(lengths[groups() == group])) <= 1 for group in range(len(GROUPS)))
    usual = np.array([*module.DEFAULT_LENGTHS.values()])[groups()]
    assert lengths[-1] < usual[-1]
    assert lengths[-2] > usual[-2]  # noise says nothing here


def test_labels_that_are_noise_are_found_noisy() -> None:
    features, labels = drawn(200)
    noise = np.random.default_rng(1).standard_normal(200)
    found = Kernel.fit(features, np.column_stack([labels[:, 0], noise]), groups()).noise
    assert found[0] < 0.3
    assert found[1] > 1.0


def test_without_variation_the_defaults_are_used() -> None:
    features, labels = drawn(30)
    for some_features, some_labels in ((np.ones_like(features), labels), (features, np.full_like(labels, 0.7))):
        found = Kernel.fit(some_features, some_labels, groups())
        assert_array_equal(found.lengths, np.array([*module.DEFAULT_LENGTHS.values()])[groups()])
        assert_allclose(found.noise, module.DEFAULT_NOISE)


def test_of_many_rows_some_are_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIKELIHOOD_ROWS", 30)
    features, labels = drawn(100)
    one, same, other = (Kernel.fit(features, labels, groups(), seed).lengths for seed in (1, 1, 2))
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)
