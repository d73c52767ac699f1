"""Reference networks: parameters as the literature and other people's code have them."""

from __future__ import annotations

import re

import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from ohmnas.errors import UnknownNameError
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture
from ohmnas.spaces.resnet.network import ResidualBlock, build
from ohmnas.spaces.resnet.references import REFERENCES, reference

CIFAR = ResNetSpace((3, 32, 32), 10)
OPTION_B = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
"""Our two skips that change the shape are 1x1 convolutions with batch norm; option A of the paper has no parameters."""
GOLDEN = {
    "resnet18": 11_173_962,  # kuangliu/pytorch-cifar, like the two below
    "resnet34": 21_282_122,
    "resnet50": 23_520_842,
    "resnet20": 269_722 + OPTION_B,  # akamaster/pytorch_resnet_cifar10 (option A), like the three below
    "resnet32": 464_154 + OPTION_B,
    "resnet44": 658_586 + OPTION_B,
    "resnet56": 853_018 + OPTION_B,
}


def built(network: Architecture) -> nn.Sequential:
    with torch.device("meta"):
        return build(network, CIFAR.input_shape, CIFAR.classes)


@pytest.mark.parametrize("name", GOLDEN)
def test_params_are_those_of_well_known_implementations(name: str) -> None:
    network = reference(name)
    assert sum(p.numel() for p in built(network).parameters()) == GOLDEN[name]
    assert CIFAR.params(CIFAR.encode([network]))[0] == GOLDEN[name]


def test_macs_of_resnet18_are_the_well_known_number() -> None:
    """0.56 G, as everyone reports for ResNet-18 on 32x32 images; to the last one: a sum by hand over its layers."""
    stem = 32 * 32 * 27 * 64
    blocks = 4 * 32 * 32 * 9 * 64 * 64
    for out, side in ((128, 16), (256, 8), (512, 4)):
        blocks += side * side * (9 * (out // 2) * out + 3 * 9 * out * out + (out // 2) * out)
    macs = CIFAR.macs(CIFAR.encode([reference("resnet18")]))[0]
    assert macs == stem + blocks + 512 * 10
    assert round(macs / 1e9, 2) == 0.56


@pytest.mark.parametrize("name", [name for name in REFERENCES if re.match(r"resnet\d", name)])
def test_number_in_a_resnets_name_is_its_depth(name: str) -> None:
    match = re.match(r"resnet(\d+)", name)
    assert match is not None
    assert reference(name).depth == int(match[1])


def test_wide_resnets_are_as_large_as_in_their_paper() -> None:
    """WRN-16-4: 2.7 M (Zagoruyko and Komodakis, table 4)."""
    assert int(CIFAR.params(CIFAR.encode([reference("wrn16-4")]))[0]) == pytest.approx(2.7e6, rel=0.03)


def test_every_reference_is_a_different_point_of_the_space_with_residual_connections() -> None:
    population = CIFAR.encode(REFERENCES.values())
    assert_array_equal(CIFAR.check(population), population)
    assert len(set(REFERENCES.values())) == len(REFERENCES)
    for network in REFERENCES.values():
        assert all(m.skip is not None for m in built(network).modules() if isinstance(m, ResidualBlock))


def test_costs_match_the_built_network() -> None:
    params = CIFAR.params(CIFAR.encode(REFERENCES.values()))
    expected = [sum(p.numel() for p in built(network).parameters()) for network in REFERENCES.values()]
    assert_array_equal(params, expected)


def test_narrow_variants_differ_in_the_stem_only() -> None:
    for name, network in REFERENCES.items():
        if name.endswith("-w8"):
            wide = reference(name.removesuffix("-w8"))
            assert (network.stem_channels, wide.stem_channels) == (8, 16)
            assert network.blocks == wide.blocks


def test_unknown_name_lists_all_names() -> None:
    with pytest.raises(UnknownNameError) as caught:
        reference("resnet99")
    assert "resnet99" in str(caught.value)
    assert all(name in str(caught.value) for name in REFERENCES)
