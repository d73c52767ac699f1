from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost import OnChip
from ohmnas.estimators.zero_cost.parts import freeze_norms
from ohmnas.hardware import IDEAL, Hardware

from .conftest import convolutional

DAY, MONTH = 86_400.0, 30 * 86_400.0


def programmed(on: OnChip) -> tuple[Any, Any, Tensor]:
    """The network on a chip, the exact one, and images."""
    network, images, _ = convolutional()
    torch.manual_seed(5)
    one = on.program(network, images)
    freeze_norms(network, images)
    return one, network, images


def test_an_ideal_chip_computes_exactly() -> None:
    one, exact, images = programmed(OnChip(IDEAL))
    torch.testing.assert_close(one(images), exact(images), rtol=1e-3, atol=1e-4)
    assert not one.training


def test_errors_of_weights_grow_with_time_and_differ_between_chips() -> None:
    weights = {}
    for name, on in {
        "first": OnChip(Hardware(), 1.0),
        "again": OnChip(Hardware(), 1.0),
        "later": OnChip(Hardware(), MONTH),
        "other": OnChip(Hardware(), 1.0, 1),
    }.items():
        one, exact, _ = programmed(on)
        weights[name] = torch.cat([p.detach().flatten() for p in one.parameters()])
        target = torch.cat([p.detach().flatten() for p in exact.parameters()])
    errors = {name: float((found - target).norm()) for name, found in weights.items()}
    assert torch.equal(weights["first"], weights["again"])
    assert not torch.equal(weights["first"], weights["other"])
    assert 0.0 < errors["first"] < errors["later"]


def test_outputs_have_the_noise_of_their_tiles() -> None:
    """A column's noise is that of the chip times the input range and the column's scale."""
    quiet = replace(Hardware(), programming_noise=0.0, read_noise=0.0, drift=0.0, output_noise=0.04)
    network: Any = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, bias=False))
    images = torch.randn(400, 1, 8, 8)
    one = OnChip(quiet, 1.0).program(network, images)
    noise = one(images) - network(images)
    scale = network[1].weight.detach().abs().amax(dim=1)
    expected = 0.04 * float(images.abs().max()) * scale
    torch.testing.assert_close(noise.std(dim=0).detach(), expected, rtol=0.15, atol=0.0)
    assert not torch.equal(one(images), one(images))


def test_gradients_pass_through_it() -> None:
    one, _, images = programmed(OnChip(Hardware(), DAY))
    one(images).sum().backward()
    assert all(parameter.grad is not None for parameter in one.parameters())


def test_adaptive_norms_are_measured_on_the_chip() -> None:
    trained, adaptive = (
        programmed(OnChip(replace(Hardware(), batch_norm=kind), MONTH))[0] for kind in ("trained", "adaptive")
    )
    means = [next(iter(one.buffers())) for one in (trained, adaptive)]
    assert not torch.equal(means[0], means[1])


@pytest.mark.parametrize("groups", [1, 2])
def test_grouped_layers_keep_their_weights(groups: int) -> None:
    convolution = nn.Conv2d(4, 6, 3, groups=groups)
    network: Any = nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
    one: Any = OnChip(IDEAL).program(network, torch.randn(8, 4, 8, 8))
    torch.testing.assert_close(one[0].weight, convolution.weight, rtol=1e-4, atol=1e-6)
