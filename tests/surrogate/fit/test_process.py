"""Gaussian processes: against scikit-learn's, and what a mean of many rows must do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from sklearn.model_selection import KFold

from ohmnas.spaces.resnet.genes import GENES
from ohmnas.surrogate.features import chipless, feature_groups
from ohmnas.surrogate.fit import process as module
from ohmnas.surrogate.fit.kernel import Kernel
from ohmnas.surrogate.fit.process import condition, fitted_on
from ohmnas.surrogate.process import Single
from ohmnas.surrogate.scales import Values
from tests.surrogate.conftest import SPACE

F = GENES + 4
CHIPLESS = chipless(SPACE)
GROUPS = np.repeat([0, 1], (GENES, 4))


def drawn(n: int, seed: int) -> tuple[Single, Values]:
    """Features of which one gene and two others matter, smoothly."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, F)).astype(np.float32)
    exact = features.astype(np.float64)
    labels = np.sin(exact[:, GENES]) + 0.5 * exact[:, GENES + 1] + 0.1 * exact[:, 0]
    return features, np.column_stack([labels, -labels])


def usual(*noise: float) -> Kernel:
    return Kernel(np.where(np.arange(F) < GENES, 20.0, 6.0), np.array(noise))


def test_it_is_scikit_learns_process_with_the_same_kernel() -> None:
    features, labels = drawn(80, seed=0)
    kernel = usual(0.1, 0.3)
    process = condition(features, labels, kernel)
    unseen, _ = drawn(40, seed=1)
    scale = features.std(axis=0, dtype=np.float64) * kernel.lengths
    for column, noise in enumerate(kernel.noise):
        other = GaussianProcessRegressor(Matern(1.0, nu=1.5), alpha=noise, optimizer=None)
        level = labels[:, column].mean()
        other.fit(features / scale, labels[:, column] - level)
        assert_allclose(process.predict(unseen)[:, column], other.predict(unseen / scale) + level, atol=1e-3)


def test_a_fitted_kernel_predicts_rows_it_never_saw() -> None:
    features, labels = drawn(200, seed=0)
    unseen, truth = drawn(200, seed=1)
    found = condition(features, labels, Kernel.fit(features, labels, GROUPS)).predict(unseen)
    assert ((found - truth) ** 2).mean() < 0.35 * truth.var()
    assert_allclose(found[:, 0], -found[:, 1], atol=0.05)


def test_features_that_never_vary_do_not_matter() -> None:
    features, labels = drawn(60, seed=0)
    kernel = usual(0.1, 0.1)
    wider = np.column_stack([features, np.full(60, 0.06, dtype=np.float32)])
    expected = condition(features, labels, kernel).predict(features)
    other = Kernel(np.append(kernel.lengths, 1.0), kernel.noise)
    assert_allclose(condition(wider, labels, other).predict(wider), expected, atol=1e-5)


def test_labels_without_differences_are_what_is_expected_everywhere() -> None:
    features, labels = drawn(40, seed=0)
    labels = np.full_like(labels, 0.7)
    found = condition(features, labels, Kernel.fit(features, labels, GROUPS)).predict(features)
    assert_allclose(found, 0.7, atol=1e-6)


def test_more_rows_than_the_kernel_may_reach_are_drawn_from() -> None:
    features, labels = drawn(200, seed=0)
    kernel = usual(0.1, 0.1)
    one, same, other = (condition(features, labels, kernel, seed, most=50) for seed in (1, 1, 2))
    assert one.inputs.shape == (50, F)
    assert_array_equal(one.inputs, same.inputs)
    assert not np.array_equal(one.inputs, other.inputs)


def test_rows_that_the_kernel_does_not_reach_are_learned_from_all_the_same() -> None:
    """The weights of 40 rows out of 400 are worth more than those of a process that knows only 40."""
    features, labels = drawn(400, seed=0)
    labels += 0.5 * np.random.default_rng(2).standard_normal(labels.shape)
    unseen, truth = drawn(300, seed=1)
    kernel = usual(0.5, 0.5)
    some = condition(features, labels, kernel, most=40)
    alone = condition(features[:40], labels[:40], kernel)
    errors = [float(np.square(process.predict(unseen) - truth).mean()) for process in (some, alone)]
    assert errors[0] < 0.8 * errors[1]


def test_rows_are_drawn_from_too_many_to_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARNED_ROWS", 80)
    features, labels = drawn(200, seed=0)
    labels[:, 1] = labels[:, 0]
    process = condition(features, labels, usual(0.1, 0.1))
    assert process.inputs.shape == (80, F)
    assert_array_equal(process.weights[:, 0], process.weights[:, 1])


def test_many_rows_are_predicted_in_parts_as_one_by_one() -> None:
    features, labels = drawn(60, seed=0)
    process = condition(features, labels, usual(0.1, 0.1))
    many, _ = drawn(1100, seed=2)
    together = process.predict(many)
    for row in (0, 511, 512, 1099):
        assert_allclose(together[row], process.predict(many[row : row + 1])[0], atol=1e-5)


def test_held_out_predictions_use_the_other_rows_and_the_kernel_of_all() -> None:
    some, labels = drawn(90, seed=0)
    features = np.hstack([some[:, :GENES], np.zeros((90, CHIPLESS - GENES), dtype=np.float32), some[:, GENES:]])
    parts = [*KFold(3).split(features)]
    groups = feature_groups(SPACE, CHIPLESS + 4, stacked=1)
    process, expected = fitted_on(parts, features, labels, groups, most=500)
    assert_allclose(process.predict(features).mean(axis=0), labels.mean(axis=0), atol=0.05)
    train, test = parts[0]
    kernel = Kernel.fit(features, labels, groups)
    assert_array_equal(expected[test], condition(features[train], labels[train], kernel).predict(features[test]))
    error, fitted = (np.square(found - labels).mean() for found in (expected, process.predict(features)))
    assert fitted < error
