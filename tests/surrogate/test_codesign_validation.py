"""Surrogates of networks and chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.hardware import HERMES, Hardware
from ohmnas.hardware import chip_genes as chips
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.resnet.genes import GENES
from ohmnas.surrogate.codesign_validation import DesignScore, score_designs
from ohmnas.surrogate.features import feature_matrix
from ohmnas.surrogate.fit.folds import folds
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES

from .conftest import SPACE, edit, learned, table, table_of_designs


@pytest.fixture(scope="module")
def measured() -> MeasuredTable:
    return table_of_designs()


@pytest.fixture(scope="module")
def designs(measured: MeasuredTable) -> TrainingSet:
    return TrainingSet.of_designs(measured)


@pytest.fixture(scope="module")
def of_designs(designs: TrainingSet) -> SurrogateModel:
    return learned(designs)


@pytest.fixture(scope="module")
def scores(measured: MeasuredTable) -> dict[str, DesignScore]:
    return score_designs(measured, rounds=1)[1]


def test_each_measured_network_on_a_chip_is_a_design(measured: MeasuredTable, designs: TrainingSet) -> None:
    assert len(designs.population) == len(measured.frame) == 60 * 4
    assert designs.space == CoDesignSpace.on(SPACE)
    assert np.array_equal(designs.space.check(designs.population), designs.population)
    assert designs.provenance["hardware"] == "varied chips"


def test_chips_with_settings_beyond_the_genes_are_left_out(measured: MeasuredTable) -> None:
    frame = measured.frame.copy()
    frame.loc[frame["hardware"] == "pcm", "hw_output_noise"] = 0.01
    other = MeasuredTable(frame, measured.card, measured.source)
    assert len(TrainingSet.of_designs(other).population) == 60 * 3


def test_repeats_of_a_design_are_averaged() -> None:
    once = table_of_designs(20)
    frame = once.frame.copy()
    frame["seed"], frame["accuracy_1d"] = 1, frame["accuracy_1d"] - 0.1
    twice = MeasuredTable(pd.concat([once.frame, frame], ignore_index=True), once.card, once.source)
    both, first = TrainingSet.of_designs(twice), TrainingSet.of_designs(once)
    assert np.allclose(both.labels["accuracy_1d"], first.labels["accuracy_1d"] - 0.05)
    assert np.allclose(both.single()[:, 0], first.labels["accuracy_1d"])


def test_a_table_of_too_few_chips_is_refused_with_advice() -> None:
    population = SPACE.sample(20, np.random.default_rng(0), max_params=200_000)
    with pytest.raises(InvalidValueError, match=r"networks on 1 chip that .* --vary-chip"):
        TrainingSet.of_designs(table(population))


def test_no_network_is_on_both_sides_of_a_fold(designs: TrainingSet) -> None:
    networks = [row.tobytes() for row in np.ascontiguousarray(designs.population[:, :GENES])]
    tested = []
    for train, test in folds(designs.population, GENES, 5, 0):
        assert not {networks[row] for row in train} & {networks[row] for row in test}
        tested += test.tolist()
    assert sorted(tested) == list(range(len(networks)))


def test_it_learns_what_a_chip_does_to_networks_that_it_never_saw(of_designs: SurrogateModel) -> None:
    space = CoDesignSpace.on(SPACE)
    population = space.sample(200, np.random.default_rng(9), max_params=200_000)
    coarse, fine = population.copy(), population.copy()
    coarse[:, GENES + chips.ADC], fine[:, GENES + chips.ADC] = 5, 9
    better = of_designs.rank_scores(fine) > of_designs.rank_scores(coarse)
    assert better.mean() > 0.9


def test_the_same_network_differs_by_its_chip_alone(of_designs: SurrogateModel) -> None:
    space = CoDesignSpace.on(SPACE)
    networks = SPACE.sample(1, np.random.default_rng(0), max_params=50_000)
    everywhere = space.on_chips(networks, space.everything)
    features = of_designs.features(everywhere)
    assert len(features) == chips.MOST_CHIPS
    assert (features[:, :GENES] == features[0, :GENES]).all()
    assert len(np.unique(of_designs.rank_scores(everywhere))) > chips.MOST_CHIPS / 4


def test_features_of_a_design_are_those_of_the_network_on_that_chip(of_designs: SurrogateModel) -> None:
    networks = SPACE.sample(20, np.random.default_rng(3), max_params=50_000)
    space = CoDesignSpace.on(SPACE)
    for chip in (Hardware(), HERMES):
        row, _ = chips.from_hardware([chip])
        on_chip = np.column_stack([networks, np.repeat(row, len(networks), axis=0)])
        alone = feature_matrix(SPACE, networks, chip.description())
        assert np.allclose(of_designs.features(space.check(on_chip)), alone)


def test_it_comes_back_from_disk_as_it_was(of_designs: SurrogateModel, designs: TrainingSet, tmp_path: Path) -> None:
    back = load_surrogate(of_designs.save(tmp_path / "s"))
    assert back.space == designs.space
    assert np.array_equal(back.predict(designs.population), of_designs.predict(designs.population))


def test_a_surrogate_of_an_unknown_space_is_refused(of_designs: SurrogateModel, tmp_path: Path) -> None:
    file = of_designs.save(tmp_path / "s")
    edit(file, lambda header: header.update(space="resnet-1+chips-2"))
    with pytest.raises(BrokenFileError, match=r"unknown space 'resnet-1\+chips-2': choose"):
        load_surrogate(file)


def test_networks_without_a_chip_are_refused(of_designs: SurrogateModel) -> None:
    networks = SPACE.sample(3, np.random.default_rng(0), max_params=50_000)
    with pytest.raises(InvalidValueError, match="must have 32 genes"):
        of_designs.estimate(networks)


def test_designs_that_are_a_formula_are_ranked(scores: dict[str, DesignScore]) -> None:
    assert set(scores) == set(DEFAULT_NAMES)
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
