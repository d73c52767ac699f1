from __future__ import annotations

import torch
from torch import nn

from ohmnas.analog.convert import analog_layers, set_mode, set_noise, to_analog
from ohmnas.analog.noise import NoisePool
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.network import build
from ohmnas.spaces.reference import reference


def test_every_weight_layer_becomes_analog_and_the_original_stays() -> None:
    network = build(reference("resnet8-w8"), (1, 8, 8), 10)
    analog = to_analog(network, Hardware())
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(list(analog_layers(analog))) == len(layers) == 10
    assert not any(isinstance(m, nn.Conv2d | nn.Linear) for m in analog.modules())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        for parameter in analog.parameters():
            parameter.zero_()
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_parameters_are_those_of_the_network() -> None:
    network = build(reference("resnet14-w8"), (1, 8, 8), 10)
    analog = to_analog(network, Hardware())
    assert sum(p.numel() for p in analog.parameters() if p.dim()) == sum(p.numel() for p in network.parameters())
    ranges = [name for name, p in analog.named_parameters() if not p.dim()]
    assert len(ranges) == len(list(analog_layers(analog)))  # and an input range for each layer


def test_modes_and_noise_reach_every_layer(small_network: nn.Sequential, chip: Hardware) -> None:
    analog = to_analog(small_network, chip)
    pool = NoisePool(0)
    set_mode(analog, "digital")
    set_noise(analog, pool)
    assert {layer.mode for layer in analog_layers(analog)} == {"digital"}
    assert all(layer.noise is pool for layer in analog_layers(analog))
