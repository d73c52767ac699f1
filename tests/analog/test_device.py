from __future__ import annotations

import torch
from aihwkit.inference.noise.pcm import PCMLikeNoiseModel

from ohmnas.analog.device import noise_model
from ohmnas.spaces.hardware import Hardware


def test_the_preset_is_aihwkits_own_model() -> None:
    assert noise_model(Hardware()) == PCMLikeNoiseModel(g_max=25.0)


def test_the_scales_of_the_chip_reach_the_model() -> None:
    g = torch.full((2000,), 12.0)
    for scale in (0.0, 0.5, 2.0):
        torch.manual_seed(0)
        base = noise_model(Hardware()).apply_programming_noise_to_conductance(g) - g
        torch.manual_seed(0)
        scaled = noise_model(Hardware(programming_noise=scale)).apply_programming_noise_to_conductance(g) - g
        torch.testing.assert_close(scaled, scale * base, rtol=1e-3, atol=1e-4)
    assert (noise_model(Hardware(drift=0.0)).generate_drift_coefficients(g) == 0).all()
