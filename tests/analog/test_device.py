from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from aihwkit.inference.noise import reram
from aihwkit.inference.noise.pcm import PCMLikeNoiseModel
from scipy import stats
from torch import nn

from ohmnas.analog.convert import set_noise, to_analog
from ohmnas.analog.device import noise_model
from ohmnas.analog.noise import NoisePool
from ohmnas.costs.noise import noise_budget
from ohmnas.hardware import IDEAL, Hardware
from ohmnas.hardware.presets import preset
from ohmnas.hardware.settings import LARGEST_NOISE
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.network import build


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


@pytest.mark.parametrize("technology", ["pcm", "hermes", "reram"])
@pytest.mark.parametrize("setting", ["programming_noise", "read_noise", "drift"])
def test_conductances_are_numbers_at_any_scale_and_time(technology: str, setting: str) -> None:
    """Where aihwkit's model for `reram` takes the logarithm of a conductance below zero, a device has the smallest."""
    scale: Any = {setting: LARGEST_NOISE}
    model: Any = noise_model(replace(preset(technology), **scale))
    torch.manual_seed(0)
    programmed, drift = model.apply_programming_noise(torch.rand(1, 4000) * 2 - 1)
    for seconds in (1.0, 86_400.0, 2_592_000.0, 1e10):
        assert torch.isfinite(model.apply_drift_noise(programmed, drift, seconds)).all()


def test_relaxation_of_reram_is_aihwkits_wherever_that_is_a_number() -> None:
    ours: Any = noise_model(replace(preset("reram"), drift=10.0))
    theirs = reram.ReRamCMONoiseModel(g_max=ours.g_max, drift_scale=10.0)
    programmed = torch.linspace(ours.g_min, ours.g_max, 4000)
    read = []
    for model in (ours, theirs):
        torch.manual_seed(0)
        with np.errstate(invalid="ignore"):
            read.append(model.apply_drift_noise_to_conductance(programmed, programmed, 86_400.0))
    below = read[1].isnan()
    assert 0 < below.sum() < 1000
    assert (read[0][below] == ours.g_min).all()
    assert torch.equal(read[0][~below], read[1][~below])


def test_estimated_noise_of_converters_orders_networks_as_their_measured_noise_does() -> None:
    """Networks with weights as they are drawn, on a chip of which only the converters are not ideal."""
    space = ResNetSpace((1, 8, 8), 10)
    population = space.sample(40, np.random.default_rng(0), 50_000, 1_000_000)
    chip = replace(IDEAL, name="converters", dac_bits=8, adc_bits=8, output_noise=0.04)
    x = torch.randn(64, 1, 8, 8)
    measured = []
    for index, architecture in enumerate(space.decode(population)):
        torch.manual_seed(index)
        network = to_analog(nn.Sequential(*list(build(architecture, (1, 8, 8), 10))[:-2]), chip).train()
        with torch.no_grad():
            set_noise(network, NoisePool(index))
            one, other = network(x), network(x)
            measured.append(float((one - other).square().mean() / 2 / one.var()))
    estimated = noise_budget(space.layers(population), chip.settings()).converters
    assert stats.kendalltau(measured, estimated).statistic > 0.75
