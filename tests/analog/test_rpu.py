from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from aihwkit.inference.noise.custom import StateIndependentNoiseModel
from aihwkit.simulator.parameters.enums import WeightClipType, WeightModifierType

from ohmnas.analog.rpu import hardware_of, rpu_config
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import IDEAL, PRESETS, Hardware

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


@pytest.mark.parametrize("name", [f.name for f in fields(Hardware) if f.name in OTHER])
def test_every_hardware_field_changes_the_configuration(name: str) -> None:
    assert str(rpu_config(Hardware())) == str(rpu_config(Hardware()))
    changed = rpu_config(replace(Hardware(), **{name: OTHER[name]}))
    assert str(changed) != str(rpu_config(Hardware()))


def test_only_what_aihwkit_has_no_setting_for_is_left_out() -> None:
    assert {f.name for f in fields(Hardware)} - set(OTHER) == {"name", "technology", "batch_norm"}
    assert str(rpu_config(Hardware(batch_norm="adaptive"))) == str(rpu_config(Hardware()))


def test_an_ideal_chip_has_no_modifier_and_no_clipping() -> None:
    config = rpu_config(IDEAL)
    assert config.modifier.type == WeightModifierType.NONE
    assert config.clip.type == WeightClipType.NONE
    assert config.forward.out_noise == 0.0


@pytest.mark.parametrize("chip", [*PRESETS.values(), replace(Hardware(), **OTHER)], ids=lambda chip: chip.name)
def test_a_chip_survives_the_way_through_aihwkits_configuration(chip: Hardware) -> None:
    assert hardware_of(rpu_config(chip), chip.name) == chip
    assert hardware_of(rpu_config(chip, torch_tile=True), chip.name) == chip


def test_resolutions_may_be_numbers_of_steps() -> None:
    config = rpu_config(Hardware())
    config.forward.inp_res = 254.0
    assert hardware_of(config, "pcm") == Hardware()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("forward.inp_noise", 0.01),
        ("forward.w_noise", 0.01),
        ("forward.out_res", 1 / 100),
        ("forward.out_sto_round", True),
        ("forward.ir_drop", 1.0),
        ("forward.is_perfect", True),
        ("mapping.digital_bias", False),
        ("mapping.weight_scaling_columnwise", False),
        ("modifier.pdrop", 0.1),
        ("pre_post.input_range.learn_input_range", True),
        ("noise_model.t_0", 30.0),
        ("clip.type", WeightClipType.FIXED_VALUE),
        ("modifier.type", WeightModifierType.DISCRETIZE),
    ],
)
def test_a_setting_that_is_not_modelled_is_refused_by_name(path: str, value: object) -> None:
    config = rpu_config(Hardware())
    parent: Any = config
    *steps, last = path.split(".")
    for step in steps:
        parent = getattr(parent, step)
    setattr(parent, last, value)
    with pytest.raises(InvalidValueError, match=path.split(".", maxsplit=1)[0] + r".* is "):
        hardware_of(config, "mine")


def test_another_noise_model_is_refused() -> None:
    config = rpu_config(Hardware())
    config.noise_model = StateIndependentNoiseModel()
    with pytest.raises(InvalidValueError, match="StateIndependentNoiseModel"):
        hardware_of(config, "mine")
