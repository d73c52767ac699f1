"""Measured effects of a chip's settings are those that the labels have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.hardware import HERMES, varied
from ohmnas.surrogate.measured import FEWEST_NETWORKS, measured_chip_effects
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES

from .conftest import SPACE, learning_set, table, table_of_designs


@pytest.fixture(scope="module")
def effects() -> pd.DataFrame:
    """Of labels whose accuracy is a hundredth more for each bit of the ADC and two less for each next technology.

    Presets of the other technologies were not measured, so that tiles and converters are compared on ``pcm`` alone.
    """
    return measured_chip_effects(TrainingSet.of_designs(table_of_designs(100)))


def test_each_bit_counts_what_it_counts(effects: pd.DataFrame) -> None:
    adc = effects[effects["choice"] == "ADC bits"].set_index("value")
    assert adc.index.tolist() == [5, 6, 7, 8, 9]
    assert np.allclose(adc["accuracy_1d_change"], [-0.03, -0.02, -0.01, 0.0, 0.01], atol=2e-3)  # against 8 bits


def test_technologies_are_compared_on_the_same_settings(effects: pd.DataFrame) -> None:
    technology = effects[effects["choice"].str.startswith("technology")].set_index("value")
    assert np.allclose(technology["accuracy_1d_change"], [-0.02, -0.04], atol=1e-9)
    assert (technology["architectures"] == 100).all()


def test_settings_without_effect_have_intervals_around_nothing(effects: pd.DataFrame) -> None:
    tiles = effects[effects["choice"] == "side of a tile"]
    assert tiles["value"].tolist() == [64, 128, 256, 512]
    assert np.allclose(tiles["accuracy_1d_change"], 0.0, atol=2e-3)


def test_changes_lie_in_their_intervals(effects: pd.DataFrame) -> None:
    for target in DEFAULT_NAMES:
        assert (effects[f"{target}_low"] <= effects[f"{target}_change"] + 1e-12).all()
        assert (effects[f"{target}_change"] <= effects[f"{target}_high"] + 1e-12).all()


def test_few_networks_say_nothing() -> None:
    few = measured_chip_effects(TrainingSet.of_designs(table_of_designs(20)))
    assert set(few["choice"]) >= {"technology"}
    changed = few[few["accuracy_1d_low"] < few["accuracy_1d_high"]]
    assert (changed["architectures"] >= FEWEST_NETWORKS).all()


def test_rows_of_one_chip_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="need rows of varied chips"):
        measured_chip_effects(learning_set(20))


def test_a_preset_whose_setting_few_networks_have_does_not_bend_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of ``hermes`` the preset has tiles of 256, which here no other chip has: its pairs say nothing of 512."""
    population = SPACE.sample(60, np.random.default_rng(0), max_params=200_000)
    chips = [varied("hermes", (64, 128, 512)[place % 3], 8, 8) for place in range(60)]
    every = [*chips, *[HERMES] * 60]
    columns: dict[str, Any] = {key: [chip.settings()[key] for chip in every] for key in HERMES.settings()}
    loss = np.select([np.array([chip.tile_rows == side for chip in every]) for side in (64, 256)], [0.06, 0.03], 0.0)
    rows = np.concatenate([population, population])
    columns |= {"hardware": [chip.name for chip in every], "technology": "hermes", "accuracy_1d": 0.7 - loss}
    monkeypatch.setattr("ohmnas.surrogate.training_set.FEWEST_CHIPS", 4)
    designs = TrainingSet.of_designs(table(rows, **columns))
    assert measured_chip_effects(designs).empty


def test_effects_of_an_empty_table_have_their_columns() -> None:
    empty = measured_chip_effects(TrainingSet.of_designs(table_of_designs(20)).take(np.arange(3)))
    assert {"choice", "value", "accuracy_1d_change"} <= set(empty.columns)
