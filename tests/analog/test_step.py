from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, set_noise, to_analog
from ohmnas.analog.noise import NoisePool
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.step import Step
from ohmnas.hardware import Hardware


class _Hooks:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[float | Tensor | str] = []

    def before_step(self, strength: float | Tensor) -> None:
        self.told.append(strength)

    def after_step(self) -> None:
        self.told.append("after")


def test_a_step_follows_the_recipe(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    hooks = _Hooks()
    recipe = Recipe(noise_from=0.0, noise_full=1.0, warmup=0.5, learning_rate=0.3)
    step = Step(small_network, recipe, hooks)
    images, labels = two_blobs
    losses = [float(step(images[:50], labels[:50], progress)) for progress in (0.25, 0.5)]
    assert losses[1] < losses[0]
    assert hooks.told == [0.25, "after", 0.5, "after"]
    assert {group["lr"] for group in step.optimizer.param_groups} == {0.3}
    assert [group["weight_decay"] for group in step.optimizer.param_groups] == [recipe.weight_decay, 0.0]


@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_a_tensor_is_as_good_a_strength_as_a_number(small_network: nn.Sequential, strength: float) -> None:
    """The gradients are the same; graphs change the strength behind the layers."""
    x = torch.randn(10, 2, 6, 6)
    gradients = []
    for given in (strength, torch.tensor(strength)):
        network = to_analog(copy.deepcopy(small_network), Hardware(output_noise=0.0)).train()
        set_noise(network, NoisePool(1) if strength else None)
        for layer in analog_layers(network):
            layer.noise_strength = given
        torch.manual_seed(0)
        network(x).square().sum().backward()
        gradients.append([p.grad for p in network.parameters()])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected)
