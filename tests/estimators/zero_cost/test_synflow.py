from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost.synflow import SynFlow

from .conftest import ProxyContract, convolutional, linear


class TestSynFlow(ProxyContract):
    name = "synflow"


def test_it_is_the_flow_times_the_number_of_layers() -> None:
    """Each layer passes all of the flow: |weights| . |gradients| is the sum of the outputs."""
    network, images, labels = linear()
    assert SynFlow().score(network, images, labels) == pytest.approx(math.log(0.5 + 1.0 + 0.25 + 2.0))
    network, images, labels = convolutional()
    network[6].bias.data.zero_()
    absolute = nn.Sequential(network[0], network[3][0], network[4], network[5], network[6]).double()
    with torch.no_grad():
        for parameter in absolute.parameters():
            parameter.abs_()
        flow = float(absolute(torch.ones(1, 1, 8, 8, dtype=torch.float64)).sum())
    assert SynFlow().score(network, images, labels) == pytest.approx(math.log(3 * flow))


def test_a_network_without_a_flow_has_none() -> None:
    network, images, labels = linear()
    nn.init.zeros_(network[1].weight)
    assert math.isnan(SynFlow().score(network, images, labels))
