"""Surrogates of networks and chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.spaces import chips
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import GENES
from ohmnas.spaces.hardware import HERMES, Hardware
from ohmnas.surrogate.designs import DesignScore, score_designs
from ohmnas.surrogate.learning import HEADS, LearningSet, folds
from ohmnas.surrogate.persist import load, save
from ohmnas.surrogate.surrogate import Surrogate

from .conftest import FAST, SPACE, edit, table, table_of_designs


@pytest.fixture(scope="module")
def measured() -> MeasuredTable:
    return table_of_designs()


@pytest.fixture(scope="module")
def designs(measured: MeasuredTable) -> LearningSet:
    return LearningSet.of_designs(measured)


@pytest.fixture(scope="module")
def of_designs(designs: LearningSet) -> Surrogate:
    return Surrogate.learn(designs, **FAST)


@pytest.fixture(scope="module")
def scores(measured: MeasuredTable) -> dict[str, DesignScore]:
    return score_designs(measured, rounds=1)[1]


def test_each_measured_network_on_a_chip_is_a_design(measured: MeasuredTable, designs: LearningSet) -> None:
    assert len(designs.population) == len(measured.frame) == 60 * 4
    assert designs.space == CoDesignSpace(SPACE.input_shape, SPACE.classes)
    assert np.array_equal(designs.space.check(designs.population), designs.population)
    assert designs.provenance["hardware"] == "varied chips"


def test_chips_whose_settings_are_no_genes_are_left_out(measured: MeasuredTable) -> None:
    frame = measured.frame.copy()
    frame.loc[frame["hardware"] == "pcm", "hw_output_noise"] = 0.01
    other = MeasuredTable(frame, measured.card, measured.source)
    assert len(LearningSet.of_designs(other).population) == 60 * 3


def test_repeats_of_a_design_are_averaged() -> None:
    once = table_of_designs(20)
    frame = once.frame.copy()
    frame["seed"], frame["accuracy_1d"] = 1, frame["accuracy_1d"] - 0.1
    twice = MeasuredTable(pd.concat([once.frame, frame], ignore_index=True), once.card, once.source)
    both, first = LearningSet.of_designs(twice), LearningSet.of_designs(once)
    assert np.allclose(both.labels["accuracy_1d"], first.labels["accuracy_1d"] - 0.05)
    assert np.allclose(both.single()[:, 0], first.labels["accuracy_1d"])


def test_a_table_of_few_chips_says_what_would_make_it_enough() -> None:
    population = SPACE.sample(20, np.random.default_rng(0), max_params=200_000)
    with pytest.raises(InvalidValueError, match=r"networks on 1 chip that .* --vary-chip"):
        LearningSet.of_designs(table(population))


def test_no_network_is_on_both_sides_of_a_fold(designs: LearningSet) -> None:
    networks = [row.tobytes() for row in np.ascontiguousarray(designs.population[:, :GENES])]
    tested = []
    for train, test in folds(designs.population, 5, 0):
        assert not {networks[row] for row in train} & {networks[row] for row in test}
        tested += test.tolist()
    assert sorted(tested) == list(range(len(networks)))


def test_it_learns_what_a_chip_does_to_networks_that_it_never_saw(of_designs: Surrogate) -> None:
    space = CoDesignSpace(SPACE.input_shape, SPACE.classes)
    population = space.sample(200, np.random.default_rng(9), max_params=200_000)
    coarse, fine = population.copy(), population.copy()
    coarse[:, GENES + chips.ADC], fine[:, GENES + chips.ADC] = 5, 9
    better = of_designs.rank_scores(fine) > of_designs.rank_scores(coarse)
    assert better.mean() > 0.9


def test_the_same_network_differs_by_its_chip_alone(of_designs: Surrogate) -> None:
    space = CoDesignSpace(SPACE.input_shape, SPACE.classes)
    networks = SPACE.sample(1, np.random.default_rng(0), max_params=50_000)
    everywhere = space.on_chips(networks, space.everything)
    features = of_designs.features(everywhere)
    assert len(features) == chips.MOST_CHIPS
    assert (features[:, :GENES] == features[0, :GENES]).all()
    assert len(np.unique(of_designs.rank_scores(everywhere))) > chips.MOST_CHIPS / 4


def test_features_of_a_design_are_those_of_the_network_on_that_chip(of_designs: Surrogate) -> None:
    networks = SPACE.sample(20, np.random.default_rng(3), max_params=50_000)
    space = CoDesignSpace(SPACE.input_shape, SPACE.classes)
    for chip in (Hardware(), HERMES):
        row, _ = chips.from_hardware([chip])
        on_chip = np.column_stack([networks, np.repeat(row, len(networks), axis=0)])
        alone = Surrogate(SPACE, chip)
        alone.space_, alone.hardware_ = SPACE, chip.description()
        assert np.allclose(of_designs.features(space.check(on_chip)), alone._features(networks)[0])


def test_it_comes_back_from_disk_as_it_was(of_designs: Surrogate, designs: LearningSet, tmp_path: Path) -> None:
    save(of_designs, tmp_path / "s")
    back = load(tmp_path / "s")
    assert back.space_ == designs.space
    assert np.array_equal(back.predict(designs.population), of_designs.predict(designs.population))


def test_a_surrogate_of_an_unknown_space_is_refused(of_designs: Surrogate, tmp_path: Path) -> None:
    save(of_designs, tmp_path / "s")
    edit(tmp_path / "s", lambda header: header.update(space="resnet-1+chips-2"))
    with pytest.raises(BrokenFileError, match=r"space 'resnet-1.chips-2', not of"):
        load(tmp_path / "s")


def test_networks_without_a_chip_are_refused(of_designs: Surrogate) -> None:
    networks = SPACE.sample(3, np.random.default_rng(0), max_params=50_000)
    with pytest.raises(InvalidValueError, match="has 32 genes"):
        of_designs.forecast(networks)


def test_designs_that_are_a_formula_are_ranked(scores: dict[str, DesignScore]) -> None:
    assert set(scores) == set(HEADS)
    accuracy = scores["accuracy_1d"]
    assert accuracy.designs is not None
    assert accuracy.networks is not None
    assert accuracy.chips is not None
    assert accuracy.coverage is not None
    assert accuracy.designs[0] > 0.7
    assert accuracy.networks[0] > 0.7
    assert accuracy.chips[0] > 0.6
    assert 0.7 < accuracy.coverage[0] <= 1.0


def test_chips_that_make_no_difference_have_no_order(scores: dict[str, DesignScore]) -> None:
    assert scores["avm"].chips is None  # the formula's AVM is that of the network
