"""Measured effects of a chip's settings are those that the labels have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.learning import HEADS, LearningSet
from ohmnas.surrogate.measured import FEWEST_NETWORKS, measured_chip_effects

from .conftest import learning_set, table_of_designs


@pytest.fixture(scope="module")
def effects() -> pd.DataFrame:
    """Of labels whose accuracy is a hundredth more for each bit of the ADC and two less for each next technology.

    Presets of the other technologies were not measured, so that tiles and converters are compared on ``pcm`` alone.
    """
    return measured_chip_effects(LearningSet.of_designs(table_of_designs(100)))


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
    for head in HEADS:
        assert (effects[f"{head}_low"] <= effects[f"{head}_change"] + 1e-12).all()
        assert (effects[f"{head}_change"] <= effects[f"{head}_high"] + 1e-12).all()


def test_few_networks_say_nothing() -> None:
    few = measured_chip_effects(LearningSet.of_designs(table_of_designs(20)))
    assert set(few["choice"]) >= {"technology (pcm, hermes, reram)"}
    changed = few[few["accuracy_1d_low"] < few["accuracy_1d_high"]]
    assert (changed["architectures"] >= FEWEST_NETWORKS).all()


def test_rows_of_one_chip_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="measured on varied chips"):
        measured_chip_effects(learning_set(20))
