from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from ohmnas.analog.convert import (
    analog_layers,
    check_chip,
    set_mode,
    set_noise,
    to_analog,
    to_digital,
)
from ohmnas.analog.fused import FusedConv2d
from ohmnas.analog.noise import NoisePool
from ohmnas.datasets.campaign.protocol import training_settings
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import IDEAL, Hardware
from ohmnas.hardware.settings import AFTER_TRAINING
from ohmnas.spaces.resnet.network import build
from ohmnas.spaces.resnet.references import reference


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


class Residual(nn.Module):
    """A block as people write them: named layers, forward code, a functional ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding="same", bias=False)
        self.body = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.body[0](self.conv2(y)) + x  # of its chain only the first layer
        return functional.relu(y)


class Net(nn.Module):
    """A network that is no chain."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 6, 3), norm=nn.BatchNorm2d(6), relu=nn.ReLU()))
        self.blocks = nn.ModuleList([Residual(6), Residual(6)])
        self.classifier = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.classifier(x.mean(dim=(2, 3)))
        return result


def test_an_ideal_chip_computes_what_any_module_computes() -> None:
    network = Net().eval()
    analog = to_analog(network, replace(IDEAL, tile_rows=20))
    assert type(analog) is Net
    assert [layer.path for layer in analog_layers(analog)] == [
        path for path, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    x = torch.randn(5, 2, 8, 8)
    torch.testing.assert_close(analog(x), network(x), rtol=1e-4, atol=1e-5)


def test_a_network_keeps_its_modes() -> None:
    network = Net()
    network.blocks[0].eval()
    analog = to_analog(network, Hardware())
    assert analog.training
    assert not any(module.training for module in analog.blocks[0].modules())
    assert all(layer.training for layer in analog_layers(analog.blocks[1]))


def test_any_module_comes_back() -> None:
    network = Net().eval()
    back = to_digital(to_analog(network, Hardware()))
    assert str(back).replace("inplace=True", "") == str(network).replace("inplace=True", "")
    x = torch.randn(5, 2, 8, 8)
    assert torch.equal(back(x), network(x))


def test_a_chain_whose_activation_is_one_module_comes_back() -> None:
    """A chain may hold one ReLU several times; positions are those of the chain."""
    relu = nn.ReLU(inplace=True)
    layers = [nn.Conv2d(2, 4, 3), relu, nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), relu, nn.Conv2d(4, 4, 1), relu]
    network = nn.Sequential(*layers).eval()
    back = to_digital(to_analog(network, Hardware()))
    assert str(back) == str(network)
    x = torch.randn(5, 2, 8, 8)
    assert torch.equal(back(x), network(x))


def test_a_bare_layer_becomes_an_analog_layer_and_comes_back() -> None:
    linear: nn.Module = nn.Linear(4, 3)
    analog = to_analog(linear, IDEAL)
    x = torch.randn(2, 4)
    torch.testing.assert_close(analog(x), linear(x))
    assert type(to_digital(analog)) is nn.Linear


def test_networks_of_the_space_take_the_short_way() -> None:
    analog = to_analog(build(reference("resnet14-w8"), (1, 8, 8), 10), Hardware())
    convolutions = [layer for layer in analog_layers(analog) if isinstance(layer, FusedConv2d)]
    assert len(convolutions) == 15
    assert all(layer.norm is not None for layer in convolutions)
    assert not any(
        isinstance(module, nn.BatchNorm2d)
        for chain in analog.modules()
        for module in chain.children()
        if isinstance(chain, nn.Sequential)
    )


class Scaled(nn.Module):
    """A weight of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(x) * self.scale
        return result


class Standardised(nn.Conv2d):
    """A convolution that computes something else."""


def _twice(layer: nn.Module) -> nn.Module:
    return nn.Sequential(layer, nn.ReLU(), layer)


def _tied() -> nn.Module:
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    return network


def _hooked() -> nn.Module:
    network = nn.Sequential(nn.Linear(4, 4))
    network[0].register_forward_hook(lambda *_: None)
    return network


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "Conv1d": (lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.Linear(4, 4)), r"0 \(Conv1d\)"),
    "Conv3d": (lambda: nn.Sequential(nn.Conv3d(1, 2, 3)), r"0 \(Conv3d\)"),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(1, 2, 3)), r"0 \(ConvTranspose2d\)"),
    "attention": (lambda: nn.TransformerEncoderLayer(8, 2), r"self_attn \(MultiheadAttention\):"),
    "recurrent": (lambda: nn.Sequential(OrderedDict(cell=nn.LSTM(4, 4))), r"cell \(LSTM\)"),
    "embedding": (lambda: nn.Sequential(nn.Embedding(4, 4), nn.Linear(4, 4)), r"0 \(Embedding\)"),
    "own parameters": (lambda: nn.Sequential(Scaled()), r"0 \(Scaled with parameters scale\)"),
    "root": (Scaled, r"the network \(Scaled with parameters scale\)"),
    "subclass": (lambda: nn.Sequential(Standardised(1, 2, 3)), r"0 \(Standardised with parameters bias, weight\)"),
    "parametrised": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 4))),
        r"0 \(ParametrizedLinear",
    ),
    "pruned": (
        lambda: nn.Sequential(prune.l1_unstructured(nn.Linear(4, 4), "weight", 2)),  # type: ignore[no-untyped-call]
        r"0 \(Linear with parameters bias, weight_orig\)",
    ),
    "hooks": (_hooked, r"0 \(Linear with hooks or its own forward\)"),
    "shared": (lambda: _twice(nn.Conv2d(2, 2, 1)), r"0 \(Conv2d, shared with 2\); 2 \(Conv2d, shared with 0\)"),
    "in a shared block": (lambda: _twice(nn.Sequential(nn.Linear(4, 4))), r"0\.0 \(Linear, shared with 2\.0\)"),
    "tied": (_tied, r"0 \(Linear, shared with 1\)"),
    "analog already": (lambda: to_analog(nn.Sequential(nn.Linear(4, 4)), IDEAL), r"0 \(AnalogLinear"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_cannot_be_analog_are_refused_by_name(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(InvalidValueError, match=rf"{message}.*keep_digital"):
        to_analog(make(), Hardware())


def test_all_refused_layers_are_named_at_once() -> None:
    network = nn.Sequential(nn.Conv1d(1, 2, 3), nn.Linear(4, 4), nn.Sequential(nn.Bilinear(1, 2, 3)))
    with pytest.raises(InvalidValueError, match=r"0 \(Conv1d\); 2\.0 \(Bilinear\)"):
        to_analog(network, Hardware())


def test_layers_kept_digital_are_unchanged() -> None:
    network = nn.Sequential(
        OrderedDict(
            first=nn.Conv1d(2, 3, 1),
            block=nn.Sequential(nn.Linear(5, 5), nn.Bilinear(5, 5, 5)),
            scaled=Scaled(),
            last=nn.Linear(4, 2),
        )
    )
    analog = to_analog(network, Hardware(), keep_digital=["first", "block", "scaled.scale"])
    assert [layer.path for layer in analog_layers(analog)] == ["scaled.linear", "last"]
    assert type(analog.first) is nn.Conv1d
    assert str(analog.block) == str(network.block)
    assert str(to_digital(analog)) == str(network)
    twice = nn.Sequential(_twice(nn.Linear(4, 4)), nn.Linear(4, 4))
    kept = to_analog(twice, Hardware(), keep_digital=["0"])
    assert [layer.path for layer in analog_layers(kept)] == ["1"]


def test_paths_to_keep_digital_must_exist() -> None:
    with pytest.raises(InvalidValueError, match="has no 'head', '' to keep digital"):
        to_analog(nn.Sequential(nn.Linear(4, 4)), Hardware(), keep_digital=["head", "0.weight", ""])


@pytest.mark.parametrize("network", [nn.Sequential(nn.ReLU()), nn.Sequential(nn.BatchNorm2d(3))])
def test_a_network_without_layers_to_convert_is_refused(network: nn.Sequential) -> None:
    with pytest.raises(InvalidValueError, match="no convolution or linear layer"):
        to_analog(network, Hardware())


def test_hooks_of_a_batch_norm_are_called() -> None:
    calls = []
    network = nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4))
    network[1].register_forward_hook(lambda *_: calls.append(1))
    to_analog(network, Hardware())(torch.randn(3, 2, 6, 6))
    assert calls == [1]


OTHER: dict[str, Any] = {
    "name": "other",
    "technology": "reram",
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
    "batch_norm": "adaptive",
    "training_noise": 0.02,
    "clip_sigma": 2.5,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Hardware)])
def test_a_network_is_read_on_the_chip_that_it_was_converted_for(name: str) -> None:
    """Chips may differ where one training run serves both (`datasets.protocol.training_settings`)."""
    network, other = to_analog(nn.Sequential(nn.Linear(4, 4)), Hardware()), replace(Hardware(), **{name: OTHER[name]})
    alike = training_settings(Hardware()) == training_settings(other)
    assert (name in AFTER_TRAINING) == alike
    if alike:
        check_chip(network, other)
    else:
        with pytest.raises(
            InvalidValueError, match=rf"a chip other than .*: {name} is .* in the network and {OTHER[name]}"
        ):
            check_chip(network, other)
