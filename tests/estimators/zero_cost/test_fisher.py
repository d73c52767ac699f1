from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost.fisher import Fisher

from .conftest import ProxyContract, convolutional, linear


class TestFisher(ProxyContract):
    name = "fisher"


def test_each_channel_counts_once_for_each_of_its_weights() -> None:
    network, images, labels = linear()
    outputs = images.view(3, 2) @ network[1].weight.detach().T
    errors = (torch.softmax(outputs, dim=1) - torch.eye(2)[labels]) / 3
    expected = 2 * (0.5 * (outputs * errors).square().mean(dim=0)).sum()
    assert Fisher().score(network, images, labels) == pytest.approx(float(expected), rel=1e-5)


def test_a_relu_that_overwrites_its_input_changes_nothing() -> None:
    network, images, labels = convolutional()
    copying: Any = nn.Sequential(*network)
    expected = Fisher().score(network, images, labels)
    copying[2] = nn.ReLU()
    copying[3][2] = nn.ReLU()
    assert Fisher().score(copying, images, labels) == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_is_not_finite_has_none() -> None:
    network, images, labels = linear()
    assert math.isnan(Fisher().score(network, images * math.inf, labels))
