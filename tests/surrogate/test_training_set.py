"""Learning sets from tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet, learnable_chips
from ohmnas.targets import DEFAULT_NAMES

from .conftest import CHIP, SPACE, STD_FLOOR, learning_set, table, truth


@pytest.fixture
def population(rng: np.random.Generator) -> Population:
    return SPACE.sample(30, rng, max_params=50_000)


def in_order(population: Population) -> Population:
    """The same rows as a learning set sorts them."""
    return population[np.lexsort(population.T[::-1])]


def test_learning_set_has_one_row_for_each_architecture_and_repeats_averaged(population: Population) -> None:
    measured = table(population, seeds=(0, 1, 2), noise=0.01)
    data = TrainingSet.of(measured)
    assert_array_equal(data.population, in_order(population))
    accuracy = measured.frame["accuracy_1d"].to_numpy()
    for row, genome in enumerate(data.population):
        here = (np.tile(population, (3, 1)) == genome).all(axis=1)
        assert here.sum() == 3
        assert data.labels["accuracy_1d"][row] == pytest.approx(accuracy[here].mean())
    assert_allclose(data.labels["avm"], truth(data.population)["avm"])
    assert set(data.labels) == set(DEFAULT_NAMES)


def test_a_training_set_records_its_origin(population: Population) -> None:
    data = TrainingSet.of(table(population))
    params, macs = SPACE.params(population), SPACE.macs(population)
    assert data.provenance == {
        "table_name": "synthetic",
        "table_sha256": "0" * 64,
        "task": "digits",
        "hardware": "pcm",
        "fidelity": "paper",
        "rows": 30,
        "seen": {"min_params": params.min(), "max_params": params.max(), "max_macs": macs.max()},
        "chip": {"technology": "pcm", **Hardware().settings()},
    }
    assert data.hardware == CHIP
    assert data.scales.std_floor == pytest.approx(1 / (100 * 5))  # 100 images, 25 chips


def test_the_shrunk_spread_is_nearer_to_that_of_another_training() -> None:
    """Digits that were trained twice: shrunk labels agree better with what the other seed measured."""
    table = read_table("digits")
    pcm = table.frame[(table.frame["hardware"] == "pcm") & (table.frame["status"] == "ok")]
    first = TrainingSet.of(replace(table, frame=pcm[pcm["seed"] == 0]))
    second = TrainingSet.of(replace(table, frame=pcm[pcm["seed"] == 1]))
    place = {genome.tobytes(): row for row, genome in enumerate(first.population)}
    rows = np.array([place[genome.tobytes()] for genome in second.population])
    other = np.log(second.labels["accuracy_1d_std"])
    raw, shrunk = (np.log(labels[rows, 1]) for labels in (first.matrix(), first.shrunk_labels()))
    assert np.corrcoef(shrunk, other)[0, 1] > np.corrcoef(raw, other)[0, 1] + 0.01
    assert_array_equal(first.shrunk_labels()[:, [0, 2]], first.matrix()[:, [0, 2]])


def test_labels_of_a_subset_do_not_use_other_rows() -> None:
    data = TrainingSet.of(read_table("digits"), "hermes")
    some = data.take(np.arange(100))
    spreads = data.labels["accuracy_1d_std"].copy()
    spreads[100:] *= 7.0
    data.labels["accuracy_1d_std"] = spreads
    assert_array_equal(data.take(np.arange(100)).shrunk_labels(), some.shrunk_labels())
    assert not np.array_equal(data.shrunk_labels()[:100], some.shrunk_labels())


def test_without_views_the_labels_are_not_shrunk() -> None:
    data = learning_set(30)
    assert_array_equal(data.shrunk_labels(), data.matrix())


def test_failures_are_not_learned_from(population: Population) -> None:
    status = np.full(30, schema.STATUS_OK, dtype=object)
    status[:3] = schema.STATUS_FAILED
    accuracy = np.where(status == schema.STATUS_OK, 0.5, np.nan)
    data = TrainingSet.of(table(population, status=status, accuracy_1d=accuracy))
    assert_array_equal(data.population, in_order(population[3:]))
    assert all(np.isfinite(values).all() for values in data.labels.values())


@pytest.mark.parametrize("column", ["fidelity", "hardware"])
def test_tables_with_several_kinds_of_rows_need_a_choice(column: str, population: Population) -> None:
    changed: dict[str, Any] = {column: "other", "accuracy_1d": 0.9}
    one, other = table(population), table(population, **changed)
    first = str(one.frame[column].iloc[0])
    both = MeasuredTable(pd.concat([one.frame, other.frame], ignore_index=True), one.card, "synthetic")
    if first in ("pcm", "paper"):
        assert_array_equal(TrainingSet.of(both).population, TrainingSet.of(one).population)
    else:
        with pytest.raises(
            InvalidValueError, match=rf"several values of {column}: select one with --{column}, .*other"
        ):
            TrainingSet.of(both)
    for choice, source in ((first, one), ("other", other)):
        chosen, expected = TrainingSet.of(both, **{column: choice}), TrainingSet.of(source)
        assert_array_equal(chosen.population, expected.population)
        assert_array_equal(chosen.labels["accuracy_1d"], expected.labels["accuracy_1d"])
        assert chosen.provenance[column] == choice
    with pytest.raises(InvalidValueError, match=rf"no measured rows of {column} 'third', only of .*other"):
        TrainingSet.of(both, **{column: "third"})


def test_too_few_architectures_are_refused_even_if_measured_often(population: Population) -> None:
    few = population[: FEWEST_ROWS - 1]
    with pytest.raises(InvalidValueError, match=f"{len(few)} measured architectures; a surrogate needs {FEWEST_ROWS}"):
        TrainingSet.of(table(few, seeds=(0, 1)))
    assert len(TrainingSet.of(table(population[:FEWEST_ROWS])).population) == FEWEST_ROWS


def test_taking_rows_takes_them_from_everything(data: TrainingSet) -> None:
    rows = np.array([5, 2, 9])
    part = data.take(rows)
    assert_array_equal(part.population, data.population[rows])
    assert all(np.array_equal(part.labels[target], data.labels[target][rows]) for target in DEFAULT_NAMES)


def test_shipped_table_can_be_learned_from() -> None:
    data = TrainingSet.of(read_table("digits"))
    assert len(data.population) >= FEWEST_ROWS
    assert data.matrix().shape == (len(data.population), len(DEFAULT_NAMES))


def test_models_learn_standard_deviations_as_logarithms_above_the_floor() -> None:
    data = learning_set(30)
    data.labels["accuracy_1d_std"][:3] = 0.0
    assert_allclose(data.target("accuracy_1d_std")[:3], np.log(STD_FLOOR))
    assert_allclose(np.exp(data.target("accuracy_1d_std")[3:]), data.labels["accuracy_1d_std"][3:])
    assert_allclose(data.scales.avm_unit * np.sinh(data.target("avm")), data.labels["avm"])


def test_single_labels_are_those_of_the_first_seed(population: Population) -> None:
    measured = table(population, seeds=(1, 0), noise=0.05)
    data = TrainingSet.of(measured)
    frame = measured.frame.set_index([*GENE_NAMES, "seed"])
    for row, genome in enumerate(data.population):
        both = [float(frame.loc[(*genome.tolist(), seed), "accuracy_1d"]) for seed in (0, 1)]
        assert data.single()[row, 0] == both[0]
        assert data.labels["accuracy_1d"][row] == pytest.approx(np.mean(both))
    assert_array_equal(data.take(np.array([3, 1])).single(), data.single()[[3, 1]])
    made_up = learning_set(20)
    assert_array_equal(made_up.single(), made_up.matrix())


def test_chips_that_can_be_learned_have_enough_architectures_of_one_fidelity(population: Population) -> None:
    usual, few = table(population), table(population[:6], seeds=(0, 1), hardware="few")
    two = [table(population, hardware="two", fidelity=fidelity) for fidelity in ("low", "smoke")]
    with_paper = [table(population, hardware="more", fidelity=fidelity) for fidelity in ("low", "paper")]
    frames = [one.frame for one in (usual, few, *two, *with_paper)]
    both = MeasuredTable(pd.concat(frames, ignore_index=True), usual.card, "several")
    assert learnable_chips(both) == ["more", "pcm"]
    for chip in learnable_chips(both):
        TrainingSet.of(both, chip)
