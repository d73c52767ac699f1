"""`Hardware` -> aihwkit's `InferenceRPUConfig`: the same chip for aihwkit's own layers."""

from __future__ import annotations

from aihwkit.inference.compensation.drift import GlobalDriftCompensation
from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
from aihwkit.simulator.parameters.enums import (
    BoundManagementType,
    NoiseManagementType,
    WeightClipType,
    WeightModifierType,
    WeightRemapType,
)

from ohmnas.analog.device import noise_model
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


def _resolution(bits: int) -> float:
    """Aihwkit's step relative to the full range of a symmetric converter; negative is ideal."""
    return 1.0 / (2**bits - 2) if bits else -1.0
