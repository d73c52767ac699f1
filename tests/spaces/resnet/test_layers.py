"""Costs against the network that torch builds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture
from ohmnas.spaces.resnet.network import build
from ohmnas.spaces.resnet.references import reference


def counted(architecture: Architecture, shape: tuple[int, int, int], classes: int) -> tuple[int, int, int]:
    """Parameters, MACs and weight layers of the built network; each group of a convolution is a layer."""
    with torch.device("meta"):  # shapes without numbers
        network = build(architecture, shape, classes).eval()
    macs = layers = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal macs, layers
        assert isinstance(module, nn.Conv2d | nn.Linear)
        positions = output[0, 0].numel() if isinstance(module, nn.Conv2d) else 1
        macs += module.weight.numel() * positions
        layers += module.groups if isinstance(module, nn.Conv2d) else 1

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, *shape, device="meta"))
    return sum(p.numel() for p in network.parameters()), macs, layers


@pytest.mark.parametrize(("shape", "classes", "n"), [((1, 8, 8), 10, 200), ((3, 9, 7), 4, 40), ((2, 1, 5), 3, 20)])
def test_params_and_macs_match_the_built_network(shape: tuple[int, int, int], classes: int, n: int) -> None:
    space = ResNetSpace(shape, classes)
    population = space.sample(n, np.random.default_rng(1), max_params=4e5, max_macs=4e6)
    table = space.layers(population)
    for row, architecture in enumerate(space.decode(population)):
        params, macs, _ = counted(architecture, shape, classes)
        assert (table.params()[row], table.macs()[row]) == (params, macs), architecture


def test_uniform_samples_match_the_built_network_too() -> None:
    space = ResNetSpace((3, 8, 8), 10)
    population = space.sample_uniform(400, np.random.default_rng(2))
    small = population[space.params(population) < 3e6][:8]
    assert len(small) >= 4
    for genome, architecture in zip(small, space.decode(small), strict=True):
        params, macs, _ = counted(architecture, space.input_shape, 10)
        assert (space.params(genome[None])[0], space.macs(genome[None])[0]) == (params, macs)


def test_layers_count_each_branch() -> None:
    space = ResNetSpace((3, 32, 32), 10)
    population = space.encode([reference("resnet20"), reference("resnet8")])
    # 20 and 8 on the longest path, and two 1x1 convolutions on skips
    assert space.layers(population).layers().tolist() == [22, 10]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("resnet18", 11_173_962),  # the CIFAR ResNet-18 of many repositories
        ("resnet34", 21_282_122),
        ("resnet50", 23_520_842),
    ],
)
def test_known_networks_have_their_known_parameters(name: str, params: int) -> None:
    space = ResNetSpace((3, 32, 32), 10)
    assert space.params(space.encode([reference(name)]))[0] == params


def test_the_largest_network_does_not_overflow() -> None:
    space = ResNetSpace((3, 224, 224), 1000)
    largest = space.repair(np.full((1, 28), 999))
    params, macs = int(space.params(largest)[0]), int(space.macs(largest)[0])
    assert params > 10**12
    assert macs > 10**14
    table = space.layers(largest)
    exact = sum(
        int(count) * (int(inputs) * int(outputs) + int(digital))
        for count, inputs, outputs, digital in zip(
            table.count[0], table.inputs[0], table.outputs[0], table.digital[0], strict=True
        )
    )
    assert params == exact  # Python's integers do not overflow


def test_the_size_matches_the_built_networks_matrices_and_digital_parameters() -> None:
    space = ResNetSpace((3, 9, 7), 4)
    population = space.sample(20, np.random.default_rng(3), max_params=4e5)
    table = space.layers(population)
    for row, architecture in enumerate(space.decode(population)):
        with torch.device("meta"):
            network = build(architecture, space.input_shape, 4)
        weights = [m.weight.numel() for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        digital = sum(parameter.numel() for parameter in network.parameters()) - sum(weights)
        for bits in (8, 4, 3):
            assert table.size(bits)[row] == -(-sum(weights) * bits // 8) + 4 * digital
    assert np.array_equal(table.size(), table.size(8))
    assert np.array_equal(table.size(32), 4 * table.params())


def test_the_size_of_the_largest_network_does_not_overflow() -> None:
    space = ResNetSpace((3, 224, 224), 1000)
    largest = space.repair(np.full((1, 28), 999))
    assert space.layers(largest).size(32)[0] == 4 * int(space.params(largest)[0])
