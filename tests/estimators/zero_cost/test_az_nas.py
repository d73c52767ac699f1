from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost.az_nas import AzNas, combined_ranks, he_fan_in, parts

from .conftest import ProxyContract, convolutional


class TestAzNas(ProxyContract):
    name = "az_nas"
    depends_on_batch = True
    draws_nothing = False
    rows = 6


def test_ranks_are_put_together() -> None:
    columns = np.array([[1.0, 5.0, 2.0, 9.0], [2.0, 4.0, 1.0, 7.0]])
    np.testing.assert_allclose(combined_ranks(columns), np.log([0.5 * 1 * 1 * 1, 1 * 0.5 * 0.5 * 0.5]))
    assert len(combined_ranks(np.empty((0, 4)))) == 0


def test_features_without_a_direction_have_the_largest_entropy() -> None:
    network = nn.Sequential(nn.Identity(), nn.Sequential(nn.Identity(), nn.Identity()))
    torch.manual_seed(0)
    images = torch.randn(50, 4, 8, 8, requires_grad=True)
    expressivity, progressivity, trainability = parts(network, images)
    assert expressivity == pytest.approx(2 * math.log(4), abs=0.02)
    assert progressivity == 0.0
    assert trainability == -math.inf  # an identity learns nothing


def test_a_block_that_keeps_lengths_trains_best() -> None:
    """2 - s - 1 / s has its largest value, 0, where the spectral norm s is 1."""
    found = {}
    for scale in (0.5, 1.0, 2.0):
        block = nn.Conv2d(4, 4, 1, bias=False)
        with torch.no_grad():
            block.weight.copy_(-scale * torch.eye(4)[:, :, None, None])
        network = nn.Sequential(nn.Identity(), nn.Sequential(block, nn.Identity()))
        torch.manual_seed(0)
        found[scale] = parts(network, torch.randn(50, 4, 8, 8, requires_grad=True))[2]
    assert found[1.0] == pytest.approx(0.0, abs=0.01)
    assert found[0.5] == pytest.approx(-0.5, abs=0.1)
    assert found[2.0] == pytest.approx(-0.5, abs=0.1)


def test_blocks_with_a_stride_are_measured() -> None:
    network, images, _ = convolutional()
    assert np.isfinite(parts(network, images)).all()


def test_a_network_of_one_block_has_no_steps() -> None:
    _, progressivity, trainability = parts(nn.Conv2d(1, 2, 3), torch.randn(4, 1, 8, 8))
    assert math.isnan(progressivity)
    assert math.isnan(trainability)


def test_weights_are_those_of_he() -> None:
    network = nn.Conv2d(20, 100, 3)
    he_fan_in(network)
    assert float(network.weight.detach().std()) == pytest.approx(math.sqrt(2 / 180), rel=0.03)
    assert AzNas.compares
