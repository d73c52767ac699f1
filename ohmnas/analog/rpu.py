"""`Hardware` <-> aihwkit's `InferenceRPUConfig`: the same chip for aihwkit's own layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from enum import Enum
from typing import Any

from aihwkit.inference.compensation.drift import GlobalDriftCompensation
from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
from aihwkit.simulator.parameters.enums import (
    BoundManagementType,
    NoiseManagementType,
    WeightClipType,
    WeightModifierType,
    WeightRemapType,
)

from ohmnas.analog.device import MODELS, noise_model
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import Hardware


def rpu_config(chip: Hardware, torch_tile: bool = False) -> InferenceRPUConfig:
    """Aihwkit's description of a chip, for its C++ tile or for its tile in pure torch.

    Weights are scaled column by column to the largest conductance, biases stay digital, input ranges are fixed ones
    (`input_range` of each tile), and nothing rescales inputs or outputs at run time.
    """
    config = TorchInferenceRPUConfig() if torch_tile else InferenceRPUConfig()
    config.mapping.digital_bias = True
    config.mapping.weight_scaling_omega = 1.0
    config.mapping.weight_scaling_columnwise = True
    config.mapping.max_input_size = chip.tile_rows
    config.mapping.max_output_size = chip.tile_columns
    config.remap.type = WeightRemapType.CHANNELWISE_SYMMETRIC

    forward = config.forward
    forward.inp_bound = 1.0 if chip.dac_bits else 0.0  # 0: unbounded
    forward.inp_res = _resolution(chip.dac_bits)
    forward.out_bound = chip.adc_bound if chip.adc_bits else 0.0
    forward.out_res = _resolution(chip.adc_bits)
    forward.out_noise = chip.output_noise
    forward.bound_management = BoundManagementType.NONE
    forward.noise_management = NoiseManagementType.NONE
    config.pre_post.input_range.enable = True
    config.pre_post.input_range.learn_input_range = False

    if chip.training_noise:
        config.modifier.type = WeightModifierType.ADD_NORMAL
        config.modifier.std_dev = chip.training_noise
        config.modifier.rel_to_actual_wmax = True
    if chip.clip_sigma:
        config.clip.type = WeightClipType.LAYER_GAUSSIAN
        config.clip.sigma = chip.clip_sigma

    config.noise_model = noise_model(chip)
    config.drift_compensation = GlobalDriftCompensation() if chip.drift_compensation else None
    return config


_NOT_OF_INFERENCE = (
    "backward",
    "update",
    "device",
    "runtime",
    "tile_class",
    "tile_array_class",
    "simulator_tile_class",
)
"""Fields that say nothing about what an inference chip computes."""


def hardware_of(config: InferenceRPUConfig, name: str) -> Hardware:
    """The chip that aihwkit's configuration describes.

    Args:
        config: as for aihwkit's layers.
        name: what tables and commands shall call the chip.

    Raises:
        InvalidValueError: a setting is not modelled; the message names it, its value and the one that is.
    """
    model, forward = config.noise_model, config.forward
    technology = next((key for key, kind in MODELS.items() if type(model) is kind), None)
    if technology is None:
        known = ", ".join(kind.__name__ for kind in MODELS.values())
        raise InvalidValueError(f"noise_model is {type(model).__name__}; modelled are {known}")
    dac_bits, adc_bits = _bits(forward.inp_res), _bits(forward.out_res)
    chip = Hardware(
        name=name,
        technology=technology,
        g_max=model.g_max,
        tile_rows=config.mapping.max_input_size,
        tile_columns=config.mapping.max_output_size,
        dac_bits=dac_bits,
        adc_bits=adc_bits,
        adc_bound=forward.out_bound if adc_bits else Hardware().adc_bound,
        output_noise=forward.out_noise,
        programming_noise=model.prog_noise_scale,
        read_noise=model.read_noise_scale,
        drift=model.drift_scale,
        drift_compensation=config.drift_compensation is not None,
        training_noise=config.modifier.std_dev if config.modifier.type == WeightModifierType.ADD_NORMAL else 0.0,
        clip_sigma=config.clip.sigma if config.clip.type == WeightClipType.LAYER_GAUSSIAN else 0.0,
    )
    for path, value, modelled in _differences(config, rpu_config(chip), ""):
        raise InvalidValueError(f"{path} is {value}, which is not modelled; it would have to be {modelled}")
    return chip


def _differences(found: Any, modelled: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two settings differ: path, value found, value modelled."""
    if type(found) is not type(modelled) and path:
        yield path, found, modelled
    elif hasattr(found, "__dict__") and not isinstance(found, Enum | type):
        for name in sorted(vars(modelled).keys() | vars(found).keys()):
            if path or name not in _NOT_OF_INFERENCE:
                inner = f"{path}.{name}" if path else name
                yield from _differences(getattr(found, name, None), getattr(modelled, name, None), inner)
    elif isinstance(found, float):
        if not math.isclose(_inverted(found), _inverted(modelled), rel_tol=1e-6, abs_tol=1e-12):
            yield path, found, modelled
    elif found != modelled:
        yield path, found, modelled


def _inverted(resolution: float) -> float:
    """Aihwkit takes resolutions above 1 as numbers of steps; of other numbers this changes no comparison."""
    return 1.0 / resolution if resolution > 1.0 else resolution


def _bits(resolution: float) -> int:
    """The inverse of `_resolution`, rounded; what it does not hit exactly is refused by comparison."""
    return round(math.log2(1.0 / _inverted(resolution) + 2.0)) if resolution > 0 else 0


def _resolution(bits: int) -> float:
    """Aihwkit's step relative to the full range of a symmetric converter; negative is ideal."""
    return 1.0 / (2**bits - 2) if bits else -1.0
