from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, to_analog
from ohmnas.analog.drift import accuracy
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.errors import DivergedError
from ohmnas.spaces.hardware import Hardware


def test_a_network_learns(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware) -> None:
    network = to_analog(small_network, chip)
    images, labels = two_blobs
    train(network, images[:200], labels[:200], Recipe(epochs=10, batch=50), seed=0)
    assert accuracy(network, images[200:], labels[200:]) > 0.8


def test_the_same_seed_trains_the_same_network(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    states = []
    for seed in (4, 4, 5):
        network = to_analog(small_network, chip)
        train(network, *two_blobs, Recipe(epochs=1, batch=100), seed)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_weights_stay_within_the_clipping_of_their_group(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    network = to_analog(small_network, replace(Hardware(), clip_sigma=1.5))
    train(network, *two_blobs, Recipe(epochs=2, batch=50), seed=0)
    for layer in analog_layers(network):
        groups = layer.weight.detach().view(layer.groups, -1)
        # clipping shrinks the deviation that it is a multiple of, so the largest weight sits somewhat above it
        assert (groups.abs().amax(dim=1) < 1.5 * 1.35 * groups.std(dim=1)).all()


def test_a_diverged_training_is_an_error_with_its_epoch(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    images, labels = two_blobs
    network = to_analog(small_network, chip)
    with pytest.raises(DivergedError, match="epoch 1 of 3"):
        train(network, images * float("nan"), labels, Recipe(epochs=3, batch=50), seed=0)


def test_batch_norms_end_with_plain_averages(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=1, batch=50, norm_batches=7), seed=0)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [int(norm.num_batches_tracked) for norm in norms if norm.num_batches_tracked is not None] == [7, 7]


def test_layers_end_with_the_chips_full_noise(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=1, batch=100, noise_from=0.9, noise_full=2.0), seed=0)
    assert {layer.noise_strength for layer in analog_layers(network)} == {1.0}


def test_a_training_that_never_leaves_chance_is_given_up(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    images, labels = two_blobs
    guesses = labels[torch.randperm(len(labels))]
    hopeless = Recipe(epochs=10, batch=50, learning_rate=1e-6, hopeless_after=0.3)
    assert train(to_analog(small_network, chip), images, guesses, hopeless, 0).epochs == 3
    assert train(to_analog(small_network, chip), images, labels, Recipe(epochs=6, batch=50), 0).epochs == 6


def test_running_statistics_stay_where_none_are_averaged(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    network = to_analog(small_network, chip)
    train(network, *two_blobs, Recipe(epochs=4, batch=50, norm_batches=0), seed=0)
    assert accuracy(network, *two_blobs) > 0.6
