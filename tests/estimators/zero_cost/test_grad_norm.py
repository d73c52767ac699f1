from __future__ import annotations

import pytest

from ohmnas.estimators.zero_cost.grad_norm import GradientNorm

from .conftest import ProxyContract, linear, softmax_gradients


class TestGradientNorm(ProxyContract):
    name = "grad_norm"


def test_it_is_the_norm_of_the_mean_gradient() -> None:
    expected = float(softmax_gradients().mean(dim=0).norm())
    assert GradientNorm().score(*linear()) == pytest.approx(expected, rel=1e-5)
