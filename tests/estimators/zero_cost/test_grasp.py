from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ohmnas.estimators.zero_cost.grasp import Grasp

from .conftest import ProxyContract, linear


class TestGrasp(ProxyContract):
    name = "grasp"


def test_it_is_minus_weights_times_hessian_times_gradient() -> None:
    network, images, labels = linear()
    pixels, weight = images.view(3, 2), network[1].weight.detach().clone()

    def loss(flat: Tensor) -> Tensor:
        return functional.cross_entropy(pixels @ flat.view(2, 2).T, labels)

    hessian = torch.func.hessian(loss)(weight.flatten())
    gradient = torch.func.grad(loss)(weight.flatten())
    expected = -float(weight.flatten() @ hessian @ gradient)
    assert Grasp().score(network, images, labels) == pytest.approx(expected, rel=1e-4)
