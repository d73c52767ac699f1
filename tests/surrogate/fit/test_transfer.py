"""Source models: what tables of other chips teach of a new one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata

from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import HERMES, Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.fit.learners import TreeSettings
from ohmnas.surrogate.fit.transfer import (
    EQUAL_ROWS,
    MOST_RANKS,
    fit_line,
    fit_source,
    line_shares,
    rank_map,
    source_of,
    source_of_older,
)
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.surrogate.transfer import SourceModel
from ohmnas.targets import DEFAULT_NAMES
from tests.surrogate.conftest import CHIP, FAST, SPACE, learning_set, table

SETTINGS = TreeSettings(**FAST)
NEW_CHIP = HERMES.description()


@pytest.fixture(scope="module")
def known() -> TrainingSet:
    return learning_set(200, noise=0.05)


@pytest.fixture(scope="module")
def source(known: TrainingSet) -> SourceModel:
    return fit_source([known], SETTINGS)


def test_a_source_knows_the_order_of_architectures_on_chips_it_never_saw(source: SourceModel) -> None:
    unseen = learning_set(100, seed=5)
    said = source.predict(unseen.population, NEW_CHIP)
    assert said.shape == (100, len(DEFAULT_NAMES))
    for column, target in enumerate(DEFAULT_NAMES):
        assert kendall_tau(unseen.target(target), said[:, column].astype(np.float64)) > 0.5, target


def test_known_architectures_get_their_held_out_predictions(source: SourceModel, known: TrainingSet) -> None:
    """Nearer to labels that it has seen than to others; held out, as far from them as from those of strangers."""
    accuracy = known.labels["accuracy_1d"] - known.labels["accuracy_1d"].mean()
    seen, held_out = (source.predict(known.population, CHIP, unseen)[:, 0] for unseen in (False, True))
    assert np.abs(seen - accuracy).mean() < 0.8 * np.abs(held_out - accuracy).mean()
    drawn = learning_set(50, seed=6).population
    strangers = np.array([genome for genome in drawn if genome.tobytes() not in source.fold_of])
    assert_array_equal(source.predict(strangers, CHIP, unseen=True), source.predict(strangers, CHIP))


def test_each_architecture_is_in_one_fold_for_all_its_chips(known: TrainingSet) -> None:
    other = replace(known, hardware=NEW_CHIP)
    both = fit_source([known, other], SETTINGS)
    assert len(both.fold_of) == len(known.population)
    assert set(both.fold_of.values()) == set(range(len(both.folds)))


def test_a_table_sources_with_all_its_rows_but_those_of_the_new_chip_and_fidelity() -> None:
    population = SPACE.sample(30, np.random.default_rng(0), max_params=50_000)
    pcm, new = table(population), table(population, hardware="new", accuracy_1d=0.9)
    both = MeasuredTable(pd.concat([pcm.frame, new.frame], ignore_index=True), pcm.card, "both")
    rows = TrainingSet.of(both, "new")
    assert source_of(both, rows).sources == ("both on pcm",)
    assert source_of(both).sources == ("both on new", "both on pcm")
    other_task = replace(rows, provenance={**rows.provenance, "task": "speech"})
    assert source_of(both, other_task).sources == ("both on new", "both on pcm")
    longer = replace(rows, provenance={**rows.provenance, "fidelity": "full"})
    assert source_of(both, longer).sources == ("both on new", "both on pcm")
    with pytest.raises(InvalidValueError, match="cannot start from table synthetic: no other chip or fidelity"):
        source_of(new, TrainingSet.of(new))


def test_rows_of_several_tasks_or_none_cannot_be_a_source(known: TrainingSet) -> None:
    for parts in ([], [known, replace(known, space=ResNetSpace((1, 9, 9), 10))]):
        with pytest.raises(InvalidValueError, match="rows of one task"):
            fit_source(parts, SETTINGS)


def test_a_line_recovers_one_and_counts_less_with_more_rows() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(EQUAL_ROWS, 3)).astype(np.float32)
    labels = np.column_stack([rankdata(predicted[:, 0]) / EQUAL_ROWS, 0.5 * predicted[:, 1] + 0.3, -predicted[:, 2]])
    line = fit_line(predicted, labels)
    assert_allclose(line.shares, 0.5)
    assert_allclose(line.of(predicted)[:, 1:], labels[:, 1:], atol=0.1)
    assert kendall_tau(line.of(predicted)[:, 0], labels[:, 0]) > 0.95
    assert_allclose(fit_line(np.tile(predicted, (9, 1)), np.tile(labels, (9, 1))).shares, 0.1)


def test_the_line_depends_on_the_order_of_accuracies_alone() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(40, 3)).astype(np.float32)
    labels = np.column_stack([rng.permutation(np.linspace(0.1, 0.9, 40)), rng.normal(size=(40, 2))])
    squeezed = np.column_stack([0.98 + 0.01 * labels[:, 0] ** 3, labels[:, 1:]])
    assert_allclose(fit_line(predicted, squeezed).of(predicted), fit_line(predicted, labels).of(predicted), atol=1e-6)


def test_constant_predictions_give_a_level_line() -> None:
    labels = np.random.default_rng(0).uniform(size=(20, 3))
    line = fit_line(np.ones((20, 3), dtype=np.float32), labels)
    assert_allclose(line.of(np.ones((1, 3), dtype=np.float32)), [[0.5, *labels[:, 1:].mean(axis=0)]])


def test_equal_accuracies_have_one_rank() -> None:
    ranks = rank_map(np.full(20, 0.7))
    assert_allclose(ranks(np.array([0.0, 0.5, 2.0])), 0.7)


@given(st.integers(0, 1000), st.integers(2, 300))
def test_ranks_of_accuracies_are_found_again(seed: int, n: int) -> None:
    accuracies = np.random.default_rng(seed).uniform(size=n).round(2)
    ranks = rank_map(accuracies)
    assert len(ranks.scores) <= MOST_RANKS
    assert_allclose(ranks(ranks.inverse(accuracies)), accuracies, atol=1e-6)


def test_shares_go_to_the_better_predictions_with_enough_rows() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(2000, 3))
    near, far = labels + 0.1 * rng.normal(size=labels.shape), labels + rng.normal(size=labels.shape)
    lines, trees = near.copy(), far.copy()
    lines[:, 0], trees[:, 0] = far[:, 0], near[:, 0]
    assert_allclose(line_shares(labels, lines, trees), [0.0, 1.0, 1.0], atol=0.05)
    few = line_shares(labels[:6], lines[:6], trees[:6])
    assert_allclose(few, EQUAL_ROWS / (EQUAL_ROWS + 6), atol=0.1)
    assert_allclose(line_shares(labels[:30], trees[:30], trees[:30]), 0.5)


def test_a_source_model_predicts_better_accuracy_for_a_quieter_chip() -> None:
    digits = read_table("digits")
    measured = source_of(digits)
    chip = Hardware().description()
    population = TrainingSet.of(digits, "hermes").population
    quiet, usual, loud = (
        measured.predict(population, {**chip, "hw_output_noise": noise}).mean(axis=0) for noise in (0.0, 0.04, 0.08)
    )
    accuracy, avm = DEFAULT_NAMES.index("accuracy_1d"), DEFAULT_NAMES.index("avm")
    assert quiet[accuracy] > usual[accuracy] > loud[accuracy]
    assert quiet[avm] < usual[avm] < loud[avm]


def test_a_newer_table_starts_from_the_one_before() -> None:
    newer = read_table("cifar10-protocol4")
    model = source_of_older(newer, TrainingSet.of(newer))
    assert model is not None
    assert model.sources == ("cifar10 on pcm",)
    for name in ("people", "digits-mobile"):
        other = read_table(name)
        assert source_of_older(other, TrainingSet.of(other)) is None
