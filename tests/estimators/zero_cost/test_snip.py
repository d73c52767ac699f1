from __future__ import annotations

import pytest

from ohmnas.estimators.zero_cost.snip import Snip

from .conftest import ProxyContract, linear, softmax_gradients


class TestSnip(ProxyContract):
    name = "snip"


def test_it_sums_absolute_products_of_weights_and_gradients() -> None:
    network, images, labels = linear()
    expected = (network[1].weight.detach() * softmax_gradients().mean(dim=0)).abs().sum()
    assert Snip().score(network, images, labels) == pytest.approx(float(expected), rel=1e-5)
