"""The fused step against the plain torch of `layers`."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog import fused, kernels
from ohmnas.analog.convert import analog_layers, set_noise, to_analog
from ohmnas.analog.layers import AnalogConv2d
from ohmnas.analog.noise import NoisePool
from ohmnas.spaces.hardware import Hardware

CHIPS = {
    "whole": Hardware(),
    "split": Hardware(tile_rows=20, tile_columns=5),
    "clipping": Hardware(adc_bound=0.5),
    "quiet": Hardware(output_noise=0.0, training_noise=0.0),
}


def _step(network: nn.Sequential, x: Tensor, steps: int = 3) -> list[Tensor]:
    """Outputs, gradients and statistics after some training steps with noise from one seed."""
    set_noise(network, NoisePool(3))
    x = x.clone().requires_grad_()
    for _ in range(steps):
        network.zero_grad()
        x.grad = None
        y = network(x)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
    assert x.grad is not None
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    return [y.detach(), x.grad, *grads, *network.buffers()]


def _network(stride: int, kernel: int, groups: int, relu: bool) -> nn.Sequential:
    torch.manual_seed(5)
    layers: list[nn.Module] = [
        nn.Conv2d(6, 10, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(10),
    ]
    network = nn.Sequential(*layers, *([nn.ReLU()] if relu else []))
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.uniform_(norm.weight, -1.0, 2.0)
    nn.init.normal_(norm.bias)
    return network


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
@pytest.mark.parametrize(
    ("stride", "kernel", "groups", "relu"), [(1, 3, 1, True), (2, 3, 2, False), (1, 1, 1, True), (2, 1, 2, True)]
)
def test_training_and_evaluation_agree_with_plain_torch(
    stride: int, kernel: int, groups: int, relu: bool, chip: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs, every gradient, batch norm statistics and input range, over three steps with the same noise."""
    quick = to_analog(_network(stride, kernel, groups, relu), chip)
    plain = copy.deepcopy(quick)
    x = torch.randn(7, 6, 5, 6)
    results = _step(quick.train(), x)
    evaluated = _evaluate(quick, x)
    monkeypatch.setattr(fused, "applies", lambda *_: False)
    for found, expected in zip(results, _step(plain.train(), x), strict=True):
        scale = float(expected.abs().max()) + 1e-6
        assert float((found - expected).abs().max()) < 2e-4 * scale
    assert torch.allclose(evaluated, _evaluate(plain, x), rtol=1e-4, atol=1e-4)


def _evaluate(network: nn.Sequential, x: Tensor) -> Tensor:
    set_noise(network, NoisePool(4))
    with torch.no_grad():
        result: Tensor = network.eval()(x)
    return result


def test_it_stands_aside_where_it_cannot_compute() -> None:
    network = to_analog(_network(1, 3, 1, True), Hardware())
    x = torch.randn(2, 6, 4, 4)
    layer = _layer(network)
    assert fused.applies(layer, x)
    assert not fused.applies(layer, x.double())
    ideal = to_analog(_network(1, 3, 1, True), replace(Hardware(), adc_bits=0))
    assert not fused.applies(_layer(ideal), x)
    assert not kernels.usable(x.double())
    network.eval()
    assert not fused.applies(layer, x)
    network(x).sum().backward()
    assert layer.weight.grad is not None
    with torch.no_grad():
        assert fused.applies(layer, x)


def _layer(network: nn.Sequential) -> AnalogConv2d:
    layer = next(analog_layers(network))
    assert isinstance(layer, AnalogConv2d)
    return layer
