from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from aihwkit.inference.compensation.drift import GlobalDriftCompensation
from aihwkit.inference.noise.custom import StateIndependentNoiseModel
from aihwkit.inference.noise.reram import ReRamCMONoiseModel
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.parameters.enums import WeightClipType, WeightModifierType, WeightRemapType
from aihwkit.simulator.presets import PresetIOParameters, StandardHWATrainingPreset

from ohmnas.analog.mapping import Mapping
from ohmnas.analog.rpu import UNLIMITED, hardware_of, rpu_config
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import IDEAL, PRESETS, RERAM, Hardware

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


def test_aihwkits_own_model_of_reram_is_that_of_ours() -> None:
    config = rpu_config(RERAM)
    config.noise_model = ReRamCMONoiseModel(g_max=RERAM.g_max)
    assert hardware_of(config, "reram") == RERAM


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


@pytest.mark.parametrize("steps", [2**8 - 2, 254.0, np.float32(254), np.int64(254), 1 / 254])
def test_resolutions_may_be_any_numbers(steps: float) -> None:
    config = rpu_config(Hardware())
    config.forward.inp_res = config.forward.out_res = steps
    assert hardware_of(config, "pcm") == Hardware()


def test_other_numbers_may_be_whole_too() -> None:
    config = rpu_config(Hardware())
    config.forward.out_bound, config.noise_model.g_max, config.clip.sigma = 10, 25, 2
    assert hardware_of(config, "pcm") == Hardware()
    assert all(type(v) is float for v in (hardware_of(config, "pcm").adc_bound, hardware_of(config, "pcm").g_max))


@pytest.mark.parametrize("ideal", [-1, 0, 0.0, -1.0])
def test_ideal_converters_can_be_written_in_several_ways(ideal: float) -> None:
    config = rpu_config(IDEAL)
    config.forward.inp_res = config.forward.out_res = ideal
    config.forward.out_bound = float("inf")
    assert hardware_of(config, "ideal") == IDEAL


def test_a_size_of_0_is_unlimited_and_stays_so() -> None:
    config = rpu_config(Hardware())
    config.mapping.max_input_size = config.mapping.max_output_size = 0
    chip = hardware_of(config, "wide")
    assert chip == replace(Hardware(), name="wide", tile_rows=UNLIMITED, tile_columns=UNLIMITED)
    assert len(Mapping.of(torch.empty(5000, 3000), 1, chip).row_parts) == 1
    again = rpu_config(chip)
    assert (again.mapping.max_input_size, again.mapping.max_output_size) == (0, 0)
    assert hardware_of(again, "wide") == chip


def test_classes_of_presets_are_understood_by_their_values() -> None:
    config = rpu_config(Hardware())
    config.forward = PresetIOParameters(**vars(config.forward))
    assert hardware_of(config, "pcm") == Hardware()
    config.forward.ir_drop = 1.0
    with pytest.raises(InvalidValueError, match=r"^not modelled: forward\.ir_drop is 1\.0 \(modelled: 0\.0\)$"):
        hardware_of(config, "pcm")


def test_settings_of_what_is_off_do_not_matter() -> None:
    config = rpu_config(IDEAL)
    config.modifier.std_dev, config.modifier.pdrop, config.clip.sigma = 0.3, 0.1, 7.0
    assert hardware_of(config, "ideal") == IDEAL


def test_a_preset_is_refused_with_all_that_is_not_modelled() -> None:
    config = StandardHWATrainingPreset()
    config.noise_model = StateIndependentNoiseModel()
    config.forward.out_noise = -1.0
    with pytest.raises(InvalidValueError) as caught:
        hardware_of(config, "mine")
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "noise_model is StateIndependentNoiseModel (modelled: PCMLikeNoiseModel",
        "forward.out_noise is -1.0 (output_noise must be at least 0",
        "forward.ir_drop is 1.0 (modelled: 0.0)",
        "forward.w_noise is 0.0175",
        "clip.type is WeightClipType.FIXED_VALUE",
        "pre_post.input_range.learn_input_range is True",
    ):
        assert message.count(part) == 1
    assert "max_output_size" not in message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("forward.inp_res", float("nan")),
        ("forward.inp_res", "8 bits"),
        ("forward.out_res", 1e9),
        ("forward.out_bound", -3.0),
        ("forward.out_noise", float("inf")),
        ("mapping.max_input_size", 10.5),
        ("noise_model.g_max", 0.0),
        ("noise_model.read_noise_scale", None),
        ("modifier.std_dev", -0.1),
        ("drift_compensation", GlobalDriftCompensation),
        ("remap.type", WeightRemapType.NONE),
    ],
)
def test_values_that_no_chip_has_are_refused_by_aihwkits_name(path: str, value: object) -> None:
    config = rpu_config(Hardware())
    parent: Any = config
    *steps, last = path.split(".")
    for step in steps:
        parent = getattr(parent, step)
    setattr(parent, last, value)
    with pytest.raises(InvalidValueError, match=rf"^not modelled: {path} is [^;]*$"):
        hardware_of(config, "mine")


def test_configurations_of_other_kinds_are_refused() -> None:
    with pytest.raises(
        InvalidValueError, match="SingleRPUConfig is not a configuration for inference: it has no noise_model"
    ):
        hardware_of(SingleRPUConfig(), "mine")
    config = rpu_config(Hardware())
    config.forward = None
    with pytest.raises(
        InvalidValueError, match="InferenceRPUConfig is not a configuration for inference: it has no forward"
    ):
        hardware_of(config, "mine")


def test_another_noise_model_is_refused() -> None:
    config = rpu_config(Hardware())
    config.noise_model = StateIndependentNoiseModel()
    with pytest.raises(InvalidValueError, match="StateIndependentNoiseModel"):
        hardware_of(config, "mine")
