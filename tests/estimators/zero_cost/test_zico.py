from __future__ import annotations

import math

import pytest
import torch

from ohmnas.estimators.zero_cost.zico import ZiCo

from .conftest import ProxyContract, linear, softmax_gradients


class TestZiCo(ProxyContract):
    name = "zico"


def test_it_is_the_log_sum_of_means_over_deviations_of_two_batches() -> None:
    network, images, labels = linear()
    images, labels = images[[0, 1, 2, 0]], labels[[0, 1, 2, 0]]
    each = softmax_gradients()[[0, 1, 2, 0]].double()
    halves = torch.stack([each[:2].mean(dim=0), each[2:].mean(dim=0)]).abs()
    expected = math.log((halves.mean(dim=0) / halves.std(dim=0, correction=0)).sum())
    assert ZiCo().score(network, images, labels) == pytest.approx(expected, rel=1e-4)


def test_equal_batches_say_nothing() -> None:
    network, images, labels = linear()
    assert ZiCo().score(network, images[[0, 1, 0, 1]], labels[[0, 1, 0, 1]]) == 0.0
