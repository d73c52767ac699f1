"""The ranker learns an order, the regressor a function; their trees become arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.surrogate.fit import learners
from ohmnas.surrogate.fit.learners import TreeSettings, trees_of
from ohmnas.surrogate.forest import Forest
from ohmnas.surrogate.metrics import kendall_tau
from tests.surrogate import conftest

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
    ranker = learners.fit_ranker(features[:160], labels[:160], 0.1, replace(FAST, columns=1.0), 0)
    assert kendall_tau(labels[160:], learners.predict(ranker, features[160:])) > 0.85


def test_ranker_learns_from_the_order_of_the_labels_alone(features: Matrix) -> None:
    ranks = np.argsort(np.argsort(labels_of(features))).astype(np.float64)
    one = learners.fit_ranker(features, ranks, 0.1, FAST, 0)
    other = learners.fit_ranker(features, np.sqrt(ranks) - 3.0, 0.1, FAST, 0)
    assert_array_equal(learners.predict(one, features), learners.predict(other, features))


def test_ranker_of_reversed_labels_ranks_in_reverse(features: Matrix) -> None:
    ranker = learners.fit_ranker(features, labels_of(features), 0.1, FAST, 0)
    reverse = learners.fit_ranker(features, -labels_of(features), 0.1, FAST, 0)
    assert_allclose(learners.predict(reverse, features), -learners.predict(ranker, features), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2])
def test_margin_sets_the_scale_of_the_scores(features: Matrix, margin: float) -> None:
    unit = learners.predict(learners.fit_ranker(features, labels_of(features), margin, FAST, 0), features)
    double = learners.predict(learners.fit_ranker(features, labels_of(features), 2 * margin, FAST, 0), features)
    assert np.ptp(double) > 1.3 * np.ptp(unit)


def test_regressor_recovers_a_function_on_rows_it_never_saw(features: Matrix) -> None:
    labels = labels_of(features)
    labels -= labels.mean()
    model = learners.fit_regressor(features[:160], labels[:160], replace(FAST, rounds=200), 0)
    error = learners.predict(model, features[160:]) - labels[160:]
    assert np.mean(error**2) < 0.05 * np.mean(labels**2)


def test_labels_without_differences_are_predicted_as_zero(features: Matrix) -> None:
    zeros = np.zeros(len(features))
    assert not learners.predict(learners.fit_regressor(features, zeros, FAST, 0), features).any()
    assert not learners.predict(learners.fit_ranker(features, zeros, 0.1, FAST, 0), features).any()


def test_seed_decides_what_each_tree_sees(features: Matrix) -> None:
    labels = labels_of(features)
    settings_ = replace(FAST, subsample=0.5)
    one, same, other = (
        learners.fit_ranker(features, labels, 0.1, settings_, seed).save_raw("json") for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("settings", [FAST, replace(FAST, depth=12, min_child_weight=0.0), replace(FAST, rounds=1)])
def test_trees_as_arrays_predict_to_the_bit_what_the_booster_predicts(features: Matrix, settings: TreeSettings) -> None:
    booster = learners.fit_regressor(features, labels_of(features), settings, 0)
    trees = trees_of(booster)
    assert len(trees.sizes) == settings.rounds
    assert_array_equal(Forest.of([trees], 3).predict(features)[:, 0], learners.predict(booster, features))
