from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost.zen import STEP, Zen

from .conftest import ProxyContract, convolutional


class TestZen(ProxyContract):
    name = "zen"


def test_a_linear_network_changes_by_its_weights() -> None:
    """The expected change of a convolution with one weight w of p pixels: |w| x step x p x E|N(0, 1)|."""
    network = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(network.weight, 3.0)
    torch.manual_seed(0)
    found = Zen().score(network, torch.zeros(64, 1, 16, 16), torch.zeros(64))
    assert found == pytest.approx(math.log(3.0 * STEP * 256 * math.sqrt(2 / math.pi)), abs=0.02)


def test_batch_norm_takes_away_nothing() -> None:
    """Its scale is added again: weights that are ten times as large are worth log 10."""
    network, images, labels = convolutional()
    scores = []
    for scale in (1.0, 10.0):
        torch.manual_seed(0)
        Zen().prepare(network)
        with torch.no_grad():
            network[0].weight.mul_(scale)
        scores.append(Zen().score(network, images, labels))
    assert scores[1] - scores[0] == pytest.approx(math.log(10.0), abs=0.3)  # a part of the scale stays


def test_weights_are_standard_normal() -> None:
    network: Any = nn.Sequential(nn.Conv2d(10, 50, 5), nn.Linear(100, 100))
    Zen().prepare(network)
    for layer in network:
        assert float(layer.weight.detach().std()) == pytest.approx(1.0, abs=0.03)
        assert not layer.bias.any()
