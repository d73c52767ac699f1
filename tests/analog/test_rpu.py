from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from aihwkit.simulator.parameters.enums import WeightClipType, WeightModifierType

from ohmnas.analog.rpu import rpu_config
from ohmnas.spaces.hardware import IDEAL, Hardware

OTHER: dict[str, Any] = {
    "g_max": 20.0,
    "tile_rows": 256,
    "tile_columns": 128,
    "dac_bits": 6,
    "adc_bits": 7,
    "adc_bound": 12.0,
    "output_noise": 0.1,
    "programming_noise": 0.5,
    "read_noise": 0.5,
    "drift": 0.5,
    "drift_compensation": False,
    "training_noise": 0.02,
    "clip_sigma": 2.5,
}


@pytest.mark.parametrize("name", [f.name for f in fields(Hardware) if f.name not in ("name", "technology")])
def test_every_hardware_field_changes_the_configuration(name: str) -> None:
    assert str(rpu_config(Hardware())) == str(rpu_config(Hardware()))
    changed = rpu_config(replace(Hardware(), **{name: OTHER[name]}))
    assert str(changed) != str(rpu_config(Hardware()))


def test_an_ideal_chip_has_no_modifier_and_no_clipping() -> None:
    config = rpu_config(IDEAL)
    assert config.modifier.type == WeightModifierType.NONE
    assert config.clip.type == WeightClipType.NONE
    assert config.forward.out_noise == 0.0
