from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost.naswot import Naswot

from .conftest import ProxyContract


class TestNaswot(ProxyContract):
    name = "naswot"


def test_it_is_the_log_determinant_of_units_that_are_switched_alike() -> None:
    network = nn.Sequential(nn.Flatten(), nn.ReLU())
    images = torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, -1.0]]).view(2, 1, 1, 3)
    assert Naswot().score(network, images, torch.zeros(2)) == pytest.approx(math.log(3 * 3 - 2 * 2))


def test_images_with_the_same_pattern_are_indistinguishable() -> None:
    images = torch.ones(2, 1, 1, 3)
    assert math.isnan(Naswot().score(nn.Sequential(nn.Flatten(), nn.ReLU()), images, torch.zeros(2)))
    assert math.isnan(Naswot().score(nn.Flatten(), images, torch.zeros(2)))
