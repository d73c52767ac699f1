"""The stages of a fit, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.datasets.tables.table import read_table
from ohmnas.spaces.resnet.genes import GENES
from ohmnas.surrogate.features import Features, feature_matrix
from ohmnas.surrogate.fit import stages
from ohmnas.surrogate.fit.early_stopping import DEFAULT_TREES
from ohmnas.surrogate.fit.folds import folds
from ohmnas.surrogate.fit.learners import TreeSettings
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet
from tests.surrogate.conftest import CHIP, FAST, SCALES, SPACE, learning_set


@pytest.fixture(scope="module")
def rows() -> TrainingSet:
    return learning_set(80, noise=0.01)


@pytest.fixture(scope="module")
def recipe(rows: TrainingSet) -> stages.Recipe:
    return recipe_of(rows)


@pytest.fixture(scope="module")
def features(rows: TrainingSet) -> Features:
    return feature_matrix(SPACE, rows.population, CHIP)


@pytest.fixture(scope="module")
def targets(rows: TrainingSet) -> Values:
    return SCALES.to(rows.matrix())


@pytest.fixture(scope="module")
def ranking(features: Features, targets: Values, recipe: stages.Recipe) -> stages.Ranking:
    return stages.rank(features, targets[:, 0], recipe)


def recipe_of(rows: TrainingSet, early_stopping: bool = False, rounds: int = 60) -> stages.Recipe:
    parts = folds(rows.population, GENES, 5, 0)
    trees = TreeSettings(**{**FAST, "rounds": rounds})
    return stages.Recipe.of(rows.population, SPACE, parts, trees, 0.1, 0.0, early_stopping, 0)


def test_few_networks_stop_at_the_usual_number_of_trees(rows: TrainingSet) -> None:
    assert recipe_of(rows, early_stopping=True, rounds=500).trees.rounds == DEFAULT_TREES
    assert not recipe_of(rows, early_stopping=True).early_stopping
    assert recipe_of(rows, rounds=500).trees.rounds == 500


def test_held_out_scores_rank_rows_that_their_models_did_not_see(
    ranking: stages.Ranking, features: Features, targets: Values, recipe: stages.Recipe
) -> None:
    assert kendall_tau(targets[:, 0], ranking.scores) > 0.6
    changed = targets[:, 0].copy()
    one = recipe.folds[0][1][0]
    changed[one] = 0.0
    again = stages.rank(features, changed, recipe)
    assert abs(again.scores[one] - ranking.scores[one]) < 0.25 * np.ptp(ranking.scores)


def test_held_out_accuracies_are_of_maps_of_the_other_folds(
    ranking: stages.Ranking, targets: Values, recipe: stages.Recipe
) -> None:
    calibration, held_out = stages.calibrate(ranking.scores, targets[:, 0], recipe)
    assert np.abs(held_out - targets[:, 0]).mean() < 0.1
    assert (held_out != calibration(ranking.scores)).any()


def test_spread_and_variation_stay_within_the_labels(
    ranking: stages.Ranking, features: Features, targets: Values, recipe: stages.Recipe
) -> None:
    spreads = stages.spread_and_variation(features, ranking, targets[:, 1:], recipe)
    assert spreads.predicted.shape == (80, 2)
    assert (spreads.predicted >= targets[:, 1:].min(axis=0)).all()
    assert (spreads.predicted <= targets[:, 1:].max(axis=0)).all()
    assert all(len(trees.sizes) == FAST["rounds"] for trees in spreads.trees)


def test_a_line_draws_held_out_predictions_to_the_source(targets: Values, recipe: stages.Recipe) -> None:
    noise = np.random.default_rng(0).normal(size=targets.shape)
    line, blended = stages.follow_source(targets.astype(np.float32), targets + noise, targets, recipe)
    assert (line.shares > 0.0).all()
    assert np.abs(blended - targets).mean() < 0.9 * np.abs(noise).mean()


def test_intervals_are_of_what_held_out_predictions_miss(targets: Values) -> None:
    residuals = stages.intervals(targets, targets + np.array([0.0, 0.1, -0.1]), SCALES)
    middles = [float(one.quantile(np.array([0.5]), 0.5)[0]) for one in residuals]
    assert_allclose(middles, [0.0, 0.1, -0.1], atol=1e-6)


def test_a_known_network_gets_its_label_without_noise_and_its_held_out_prediction_without_skill() -> None:
    held_out, accuracy = np.full(50, 0.5), np.linspace(0.0, 1.0, 50)
    distance = float(np.square(accuracy - held_out).mean())
    assert_array_equal(stages.weigh_known(held_out, accuracy, 0.0), accuracy)
    assert_array_equal(stages.weigh_known(held_out, accuracy, 2.0 * distance), held_out)
    assert_allclose(stages.weigh_known(held_out, accuracy, None), (held_out + accuracy) / 2.0)
    assert_allclose(stages.weigh_known(held_out, accuracy, 0.25 * distance), 0.25 * held_out + 0.75 * accuracy)
    assert_array_equal(stages.weigh_known(accuracy, accuracy, 0.1), accuracy)


def test_the_best_measured_networks_are_not_over_predicted() -> None:
    """As if they were new, the nine best of CIFAR-10 are over-predicted by 2 points: models remember their labels."""
    data = TrainingSet.of(read_table("cifar10"))
    model = Surrogate.learn(data).model_
    measured = data.labels["accuracy_1d"]
    best = np.argsort(-measured)[:9]
    as_new = model.forecast_features(model.features(data.population))[1]["accuracy_1d"]
    known = model.estimate(data.population)["accuracy_1d"]
    assert (as_new - measured)[best].mean() > 0.015
    assert abs((known - measured)[best].mean()) < 0.01
    assert (np.diff(known[np.argsort(model.rank_scores(data.population), kind="stable")]) >= 0.0).all()
