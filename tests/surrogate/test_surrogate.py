"""Learning sets from tables, and what a fitted surrogate promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.datasets import schema
from ohmnas.datasets.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.features import feature_matrix, feature_names
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.surrogate import FEWEST_ROWS, HEADS, LearningSet, Surrogate

from .conftest import CHIP, FAST, SPACE, STD_FLOOR, learning_set, table, truth


@pytest.fixture
def population(rng: np.random.Generator) -> Population:
    return SPACE.sample(30, rng, max_params=50_000)


def in_order(population: Population) -> Population:
    """The same rows as a learning set sorts them."""
    return population[np.lexsort(population.T[::-1])]


def test_learning_set_has_one_row_for_each_architecture_and_repeats_averaged(population: Population) -> None:
    measured = table(population, seeds=(0, 1, 2), noise=0.01)
    data = LearningSet.of(measured)
    assert_array_equal(data.population, in_order(population))
    assert_array_equal(data.features, feature_matrix(SPACE, data.population, CHIP))
    accuracy = measured.frame["accuracy_1d"].to_numpy()
    for row, genome in enumerate(data.population):
        here = (np.tile(population, (3, 1)) == genome).all(axis=1)
        assert here.sum() == 3
        assert data.labels["accuracy_1d"][row] == pytest.approx(accuracy[here].mean())
    assert_allclose(data.labels["avm"], truth(data.population)["avm"])
    assert set(data.labels) == set(HEADS)


def test_learning_set_says_where_it_comes_from(population: Population) -> None:
    data = LearningSet.of(table(population))
    params, macs = SPACE.params(population), SPACE.macs(population)
    assert data.provenance == {
        "table_sha256": "0" * 64,
        "task": "digits",
        "hardware": "pcm",
        "fidelity": "paper",
        "rows": 30,
        "seen": {"min_params": params.min(), "max_params": params.max(), "max_macs": macs.max()},
    }
    assert data.hardware == CHIP
    assert data.std_floor == pytest.approx(1 / (100 * 5))  # 100 images, 25 chips


def test_failures_are_not_learned_from(population: Population) -> None:
    status = np.full(30, schema.STATUS_OK, dtype=object)
    status[:3] = schema.STATUS_FAILED
    accuracy = np.where(status == schema.STATUS_OK, 0.5, np.nan)
    data = LearningSet.of(table(population, status=status, accuracy_1d=accuracy))
    assert_array_equal(data.population, in_order(population[3:]))
    assert all(np.isfinite(values).all() for values in data.labels.values())


@pytest.mark.parametrize("column", ["fidelity", "hardware"])
def test_tables_with_several_kinds_of_rows_need_a_choice(column: str, population: Population) -> None:
    changed: dict[str, Any] = {column: "other", "accuracy_1d": 0.9}
    one, other = table(population), table(population, **changed)
    first = str(one.frame[column].iloc[0])
    both = MeasuredTable(pd.concat([one.frame, other.frame], ignore_index=True), one.card, "synthetic")
    if first in ("pcm", "paper"):
        assert_array_equal(LearningSet.of(both).population, LearningSet.of(one).population)
    else:
        with pytest.raises(
            InvalidValueError, match=rf"several values of {column}: choose one with --{column}, .*other"
        ):
            LearningSet.of(both)
    for choice, source in ((first, one), ("other", other)):
        chosen, expected = LearningSet.of(both, **{column: choice}), LearningSet.of(source)
        assert_array_equal(chosen.population, expected.population)
        assert_array_equal(chosen.labels["accuracy_1d"], expected.labels["accuracy_1d"])
        assert chosen.provenance[column] == choice
    with pytest.raises(InvalidValueError, match=rf"no measured rows of {column} 'third', only of .*other"):
        LearningSet.of(both, **{column: "third"})


def test_too_few_architectures_are_refused_even_if_measured_often(population: Population) -> None:
    few = population[: FEWEST_ROWS - 1]
    with pytest.raises(InvalidValueError, match=f"{len(few)} measured architectures; a surrogate needs {FEWEST_ROWS}"):
        LearningSet.of(table(few, seeds=(0, 1)))
    assert len(LearningSet.of(table(population[:FEWEST_ROWS])).population) == FEWEST_ROWS


def test_taking_rows_takes_them_from_everything(data: LearningSet) -> None:
    rows = np.array([5, 2, 9])
    part = data.take(rows)
    assert_array_equal(part.population, data.population[rows])
    assert_array_equal(part.features, data.features[rows])
    assert all(np.array_equal(part.labels[head], data.labels[head][rows]) for head in HEADS)


def test_shipped_table_can_be_learned_from() -> None:
    data = LearningSet.of(read_table("digits"))
    assert len(data.population) >= FEWEST_ROWS
    assert data.features.shape == (len(data.population), len(feature_names(data.hardware)))


def test_every_head_recovers_its_formula_on_architectures_it_never_saw(surrogate: Surrogate) -> None:
    unseen = learning_set(100, seed=99)
    predicted = surrogate.predict(unseen.population)
    for head in HEADS:
        assert kendall_tau(unseen.labels[head], getattr(predicted, head)) > 0.75, head
    assert np.abs(predicted.accuracy_1d - unseen.labels["accuracy_1d"]).mean() < 0.03
    assert np.abs(predicted.avm - unseen.labels["avm"]).mean() < 0.01


def test_predictions_are_within_what_the_heads_can_say(surrogate: Surrogate) -> None:
    predicted = surrogate.predict(SPACE.sample_uniform(200, np.random.default_rng(3)))
    assert ((predicted.accuracy_1d >= 0) & (predicted.accuracy_1d <= 1)).all()
    assert ((predicted.accuracy_1d_std >= STD_FLOOR) & (predicted.accuracy_1d_std <= 1)).all()
    assert all(np.isfinite(getattr(predicted, head)).all() for head in HEADS)


def test_predicted_standard_deviation_is_never_below_the_floor(surrogate: Surrogate, data: LearningSet) -> None:
    free = surrogate.predict(data.population).accuracy_1d_std
    floor = float(np.median(free))
    raised = replace(surrogate, std_floor=floor).predict(data.population).accuracy_1d_std
    assert_array_equal(raised, np.maximum(free, floor))
    assert free.min() < floor


def test_standard_deviations_below_the_floor_are_learned_as_the_floor() -> None:
    data = learning_set(30)
    data.labels["accuracy_1d_std"][:] = 0.0
    predicted = Surrogate.fit(data, settings=FAST).predict(data.population)
    assert_allclose(predicted.accuracy_1d_std, STD_FLOOR, rtol=1e-6)


def test_prediction_of_a_row_does_not_depend_on_the_others(surrogate: Surrogate, data: LearningSet) -> None:
    together = surrogate.predict(data.population)
    for row in (0, 17, 99):
        alone = surrogate.predict(data.population[row : row + 1])
        assert all(getattr(alone, head)[0] == getattr(together, head)[row] for head in HEADS)


def test_predicting_architectures_is_predicting_their_features(surrogate: Surrogate, data: LearningSet) -> None:
    one, other = surrogate.predict(data.population), surrogate.predict_features(data.features)
    assert all(np.array_equal(getattr(one, head), getattr(other, head)) for head in HEADS)


def test_predicted_accuracies_keep_the_order_of_the_scores(surrogate: Surrogate) -> None:
    features = learning_set(100, seed=5).features
    order = np.argsort(surrogate.rank_scores(features))
    assert (np.diff(surrogate.predict_features(features).accuracy_1d[order]) >= 0).all()


def test_same_data_and_seed_give_the_same_surrogate_and_another_seed_another() -> None:
    data = learning_set(40, noise=0.02)
    one, same, other = (
        Surrogate.fit(data, seed=seed, settings=FAST).predict(data.population).accuracy_1d for seed in (1, 1, 2)
    )
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_calibration_is_learned_on_rows_that_the_ranker_did_not_see() -> None:
    """On labels that are noise, the ranker fits its own rows; a calibration on them would promise what nobody can."""
    data = learning_set(100)
    data.labels["accuracy_1d"][:] = np.random.default_rng(0).random(100)
    predicted = Surrogate.fit(data, settings=FAST).predict(data.population).accuracy_1d
    assert np.std(predicted) < 0.6 * np.std(data.labels["accuracy_1d"])
