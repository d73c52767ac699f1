from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.estimators.zero_cost import parts

from .conftest import convolutional, linear


class Rectifying(nn.Module):
    """A ReLU in every spelling."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x - 1.0) + functional.relu(x) + (x + 1.0).relu()
        y = y + functional.relu(x - 0.5, inplace=True)
        y = y + (x - 2.0).relu_()
        last: Tensor = nn.ReLU(inplace=True)(x + 0.5)
        return y + last


def test_every_relu_is_seen_and_its_input_is_that_before_it() -> None:
    images = torch.tensor([[-0.75], [0.25], [1.5]])
    found = [one.flatten().tolist() for one in parts.activation_patterns(Rectifying(), images)]
    assert found == [
        [False, False, True],
        [False, True, True],
        [True, True, True],
        [False, False, True],
        [False, False, False],
        [False, True, True],
    ]


def test_features_are_those_before_the_pooling() -> None:
    network, images, _ = convolutional()
    expected = network[:4](images)
    assert torch.equal(parts.last_features(network, images), expected)
    assert torch.equal(parts.last_features(network[:4], images), expected)
    with pytest.raises(ValueError, match="no module of the network has a 4-dimensional output"):
        parts.last_features(nn.Linear(2, 2), torch.ones(1, 2))


def test_blocks_are_children_of_several_modules_and_the_stem_comes_first() -> None:
    network, images, _ = convolutional()
    shapes = [tuple(one.shape) for one in parts.block_features(network, images)]
    assert shapes == [(6, 4, 8, 8), (6, 6, 4, 4)]
    flat = nn.Sequential(network[0], network[1], network[3][0])
    assert [one.shape[1] for one in parts.block_features(flat, images)] == [4, 6]


def test_frozen_norms_compute_each_image_alone() -> None:
    network, images, _ = convolutional()
    together = network(images)
    parts.freeze_norms(network, images)
    assert not network.training
    alone = torch.cat([network(images[row : row + 1]) for row in range(len(images))])
    torch.testing.assert_close(alone, network(images), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone, together, rtol=0.2, atol=0.05)  # variances are unbiased


def test_gradients_of_what_has_no_part_are_zero() -> None:
    network, images, _ = linear()
    unused = torch.ones(3, requires_grad=True)
    first, second = parts.gradients(network(images).sum(), [network[1].weight, unused])
    assert first.abs().sum() > 0
    assert torch.equal(second, torch.zeros(3))
    assert torch.equal(parts.gradients(torch.ones(()), [unused])[0], torch.zeros(3))


def test_norms_can_be_left_out() -> None:
    network, images, _ = convolutional()
    parts.without_norms(network)
    assert not [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert network(images).shape == (6, 3)


def test_inputs_that_later_layers_overwrite_keep_their_gradient() -> None:
    network, images, _ = convolutional()
    assert parts.input_gradients(network, images).shape == (6, 64)
