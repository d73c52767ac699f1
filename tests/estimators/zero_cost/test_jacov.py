from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.jacov import SMALLEST, JacobianCovariance

from .conftest import ProxyContract, linear


class TestJacobianCovariance(ProxyContract):
    name = "jacov"


class Squares(nn.Module):
    """Sums of squares, whose gradients are twice the pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).square()


def test_it_follows_from_the_eigenvalues_of_the_correlations() -> None:
    images = torch.tensor([[1.0, 2.0, 4.0], [2.0, -1.0, 0.5], [0.0, 3.0, 1.0]]).view(3, 1, 1, 3)
    values = np.linalg.eigvalsh(np.corrcoef(images.view(3, 3).numpy())).clip(0.0) + SMALLEST
    found = JacobianCovariance().score(Squares(), images, torch.zeros(3))
    assert found == pytest.approx(-(np.log(values) + 1.0 / values).sum(), rel=1e-3)


def test_equal_gradients_are_the_worst() -> None:
    network, images, labels = linear()  # its gradients do not depend on the image
    assert JacobianCovariance().score(network, images, labels) < -1.9e5


def test_a_network_that_ignores_its_input_has_none() -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x), 2)

    assert math.isnan(JacobianCovariance().score(Constant(), torch.ones(3, 1, 2, 2), torch.zeros(3)))
