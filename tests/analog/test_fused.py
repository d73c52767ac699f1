"""The fused step against the plain torch of `layers`."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog import fused, kernels
from ohmnas.analog.convert import analog_layers, set_noise, set_precision, to_analog
from ohmnas.analog.layers import AnalogConv2d
from ohmnas.analog.noise import NoisePool
from ohmnas.hardware import Hardware
from ohmnas.spaces.modules import BranchSum

CHIPS = {
    "whole": Hardware(),
    "split": Hardware(tile_rows=20, tile_columns=5),
    "clipping": Hardware(adc_bound=0.5),
    "quiet": Hardware(output_noise=0.0, training_noise=0.0),
}


def _step(network: nn.Sequential, x: Tensor, steps: int = 3, seed: int = 3) -> list[Tensor]:
    """Outputs, gradients and statistics after some training steps with noise from one seed."""
    set_noise(network, NoisePool(seed))
    x = x.clone().requires_grad_()
    for _ in range(steps):
        network.zero_grad()
        x.grad = None
        y = network(x)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
    assert x.grad is not None
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    return [y.detach(), x.grad, *grads, *network.buffers()]


def _network(stride: int, kernel: int, groups: int, relu: bool, branches: int = 1) -> nn.Sequential:
    torch.manual_seed(5)
    outputs = 12 if groups == 6 else 10  # depthwise
    layers: list[nn.Module] = [
        nn.Conv2d(6, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    network = nn.Sequential(*layers, *([nn.ReLU()] if relu else []), *([BranchSum(branches)] if branches > 1 else []))
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.uniform_(norm.weight, -1.0, 2.0)
    nn.init.normal_(norm.bias)
    return network


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
@pytest.mark.parametrize(
    ("stride", "kernel", "groups", "relu", "branches"),
    [
        (1, 3, 1, True, 1),
        (2, 3, 2, False, 1),
        (1, 1, 1, True, 1),
        (2, 1, 2, True, 1),
        (1, 3, 2, False, 2),
        (1, 1, 1, False, 5),
        (1, 3, 6, True, 1),
        (2, 3, 6, False, 1),
    ],
)
def test_training_and_evaluation_agree_with_plain_torch(
    stride: int, kernel: int, groups: int, relu: bool, branches: int, chip: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs, every gradient, batch norm statistics and input range, over three steps with the same noise."""
    quick = to_analog(_network(stride, kernel, groups, relu, branches), chip)
    plain = copy.deepcopy(quick)
    x = torch.randn(7, 6, 5, 6)
    results = _step(quick.train(), x)
    evaluated = _evaluate(quick, x)
    monkeypatch.setattr(fused, "applies", lambda *_: False)
    for found, expected in zip(results, _step(plain.train(), x), strict=True):
        scale = float(expected.abs().max()) + 1e-6
        # the gradient of the input range, a scalar, leaves out the eps of batch norm
        assert float((found - expected).abs().max()) < (5e-3 if expected.dim() == 0 else 2e-4) * scale
    assert torch.allclose(evaluated, _evaluate(plain, x), rtol=1e-4, atol=1e-4)


def _evaluate(network: nn.Sequential, x: Tensor, seed: int = 4) -> Tensor:
    set_noise(network, NoisePool(seed))
    with torch.no_grad():
        result: Tensor = network.eval()(x)
    return result


def test_it_is_not_used_where_it_cannot_compute() -> None:
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


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(6, 10, 3), nn.BatchNorm2d(10)],
        [nn.Conv2d(6, 10, 3, padding=2, dilation=2, bias=False), nn.BatchNorm2d(10)],
        [nn.Conv2d(6, 10, 2, padding="same", bias=False), nn.BatchNorm2d(10)],
        [nn.Conv2d(6, 10, 3, padding=1, padding_mode="reflect", bias=False), nn.BatchNorm2d(10)],
        [nn.Conv2d(6, 10, 3, bias=False), nn.BatchNorm2d(10, affine=False)],
        [nn.Conv2d(6, 10, 3, bias=False), nn.BatchNorm2d(10, track_running_stats=False)],
    ],
    ids=["bias", "dilation", "one-sided padding", "reflect", "no affine", "no statistics"],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")  # torch's own layer
def test_it_leaves_rare_layers_to_plain_torch(layers: list[nn.Module]) -> None:
    network = to_analog(nn.Sequential(*layers, nn.ReLU()), replace(Hardware(), dac_bits=14, adc_bits=14))
    layer, x = _layer(network), torch.randn(4, 6, 8, 8)
    assert layer.norm is not None
    assert not fused.applies(layer, x)
    for training in (True, False):
        set_noise(network.train(training), None)
        layer.noise_strength = 0.0
        expected = nn.Sequential(*layers, nn.ReLU()).train(training)
        found = network(x)
        assert float((found - expected(x)).detach().abs().max()) < 0.01


def test_padding_in_words_takes_the_short_way() -> None:
    network = to_analog(nn.Sequential(nn.Conv2d(6, 9, 3, padding="same", bias=False), nn.BatchNorm2d(9)), Hardware())
    x = torch.randn(4, 6, 8, 8)
    assert fused.applies(_layer(network), x)
    network(x).sum().backward()
    assert _layer(network).weight.grad is not None


@pytest.mark.parametrize("chip", [CHIPS["whole"], CHIPS["split"]], ids=["whole", "split"])
def test_images_want_no_gradient_and_weights_get_the_same(chip: Hardware, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnalogConv2d, "calibrate", lambda layer, _: layer.input_range.fill_(3.0))
    network = to_analog(_network(1, 3, 1, True), chip).train()
    x, grads = torch.randn(4, 6, 5, 5), []
    for wanted in (True, False):
        set_noise(network, NoisePool(1))
        network.zero_grad()
        network(x.clone().requires_grad_(wanted)).square().sum().backward()
        grads.append([parameter.grad for parameter in network.parameters() if parameter.dim()])
        assert (_layer(network).log_range.grad is None) is not wanted
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)


def _layer(network: nn.Sequential) -> AnalogConv2d:
    layer = next(analog_layers(network))
    assert isinstance(layer, AnalogConv2d)
    return layer


@pytest.mark.parametrize("chip", [CHIPS["whole"], CHIPS["split"]], ids=["whole", "split"])
@pytest.mark.parametrize(
    ("stride", "kernel", "groups", "relu", "branches"),
    [(1, 3, 1, True, 1), (2, 3, 2, False, 1), (1, 1, 1, True, 1), (1, 1, 2, True, 1), (1, 3, 2, False, 2)],
)
def test_bfloat16_changes_little_compared_with_the_noise_of_the_chip(
    stride: int, kernel: int, groups: int, relu: bool, branches: int, chip: Hardware
) -> None:
    """Of outputs, gradients and statistics: root mean squares of what it changes and of what other noise changes."""
    exact = to_analog(_network(stride, kernel, groups, relu, branches), chip)
    rounded, again = copy.deepcopy(exact), copy.deepcopy(exact)
    set_precision(rounded, torch.bfloat16)
    x = torch.randn(7, 6, 5, 6)
    found, expected, other = (_step(rounded.train(), x), _step(exact.train(), x), _step(again.train(), x, seed=9))
    found.append(_evaluate(rounded, x))
    expected.append(_evaluate(exact, x))
    other.append(_evaluate(again, x, seed=9))
    for one, sure, noisy in zip(found, expected, other, strict=True):
        assert one.dtype == sure.dtype
        if one.dim():  # of a single number more noises are needed, below
            assert _distance(one, sure) <= 0.5 * _distance(noisy, sure) + 1e-6


def test_bfloat16_changes_the_gradient_of_the_input_range_less_than_noise_does() -> None:
    exact = to_analog(_network(1, 3, 1, True), Hardware())
    rounded = copy.deepcopy(exact)
    set_precision(rounded, torch.bfloat16)
    x = torch.randn(7, 6, 5, 6)
    found = {}
    for name, network in (("exact", exact), ("rounded", rounded)):
        for seed in range(20):
            _step(network.train(), x, steps=1, seed=seed)
            grad = _layer(network).log_range.grad
            assert grad is not None
            found[name, seed] = float(grad)
    exactly, roundly = (torch.tensor([found[name, seed] for seed in range(20)]) for name in ("exact", "rounded"))
    assert _distance(exactly, roundly) < 0.5 * float(exactly.std())


def _distance(x: Tensor, y: Tensor) -> float:
    return float((x - y).double().square().mean().sqrt())


def test_without_rounding_to_do_bfloat16_is_exact() -> None:
    """Whole numbers of levels, times weights that are powers of two, summed and read in whole steps."""
    convolution = nn.Conv2d(4, 8, 3, padding=1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.randint(0, 2, convolution.weight.shape) * 2.0 - 1.0)
    network = nn.Sequential(convolution, nn.BatchNorm2d(8))
    chip = Hardware(output_noise=0.0, training_noise=0.0, dac_bits=3, adc_bound=127.0, adc_bits=8)
    exact = to_analog(network, chip)
    rounded = copy.deepcopy(exact)
    set_precision(rounded, torch.bfloat16)
    x = torch.randn(5, 4, 6, 6)
    with torch.no_grad():
        assert torch.equal(exact.train()(x), rounded.train()(x))


def test_images_of_a_few_pixels_stay_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel is larger than the image, the gradient of its outer taps is 0 and not what memory held."""
    network = to_analog(_network(2, 3, 1, True), CHIPS["quiet"]).train()
    set_precision(network, torch.bfloat16)
    network(torch.randn(64, 6, 1, 1)).square().sum().backward()
    weight = _layer(network).weight
    assert weight.grad is not None
    outer = weight.grad.clone()
    outer[:, :, 1, 1] = 0.0
    assert not outer.any()
    assert weight.grad.any()
    seen: list[torch.dtype] = []
    multiply = fused.FusedConv2d.multiply

    def noted(layer: fused.FusedConv2d, x: Tensor, kernel: Tensor) -> Tensor:
        seen.append(x.dtype)
        return multiply(layer, x, kernel)

    monkeypatch.setattr(fused.FusedConv2d, "multiply", noted)
    for side in (3, 4):
        network(torch.randn(2, 6, side, side))
    assert seen == [torch.float32, torch.bfloat16]
