from __future__ import annotations

import pytest
import torch
from torch import nn

from ohmnas.analog.noise import NoisePool
from ohmnas.oneshot.gradient.bilevel import first_order, second_order


def test_first_order_is_the_partial_gradient() -> None:
    logits = torch.tensor([2.0], requires_grad=True)
    value, slope = first_order(lambda: logits.square().sum() + 0.0, logits)
    assert (float(value), float(slope)) == (4.0, 4.0)


def test_a_loss_that_ignores_the_logits_has_no_gradient() -> None:
    logits, weight = torch.tensor([2.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    assert not first_order(lambda: weight.sum() + 0.0, logits)[1].any()
    assert not first_order(lambda: torch.ones(()), logits)[1].any()


def test_second_order_is_the_gradient_through_one_step_of_the_weights() -> None:
    """Training loss (w - a)^2 / 2, validation loss w'^2 + a; w' = w - r (w - a), so the gradient is 2 w' r + 1."""
    logits = torch.tensor([0.5], requires_grad=True)
    weight, rate = nn.Parameter(torch.tensor([3.0])), 0.1
    _, slope = second_order(
        lambda: (weight**2).sum() + logits.sum(),
        lambda: ((weight - logits) ** 2).sum() / 2,
        logits,
        [weight],
        lambda parameter, gradient: parameter - rate * gradient,
        rate,
        NoisePool(0),
    )
    ahead = 3.0 - rate * (3.0 - 0.5)
    assert float(slope) == pytest.approx(1.0 + 2.0 * ahead * rate, rel=1e-3)
    assert float(weight.detach()) == 3.0


def test_both_sides_of_the_difference_see_the_same_noise() -> None:
    noise, drawn = NoisePool(0), []
    logits, weight = torch.tensor([0.5], requires_grad=True), nn.Parameter(torch.tensor([3.0]))

    def training() -> torch.Tensor:
        drawn.append(float(noise.take(weight.detach())))
        return ((weight - logits) ** 2).sum()

    second_order(
        lambda: weight.square().sum() + 0.0,
        training,
        logits,
        [weight],
        lambda one, slope: one - 0.1 * slope,
        0.1,
        noise,
    )
    assert drawn[1] == drawn[2]
    assert drawn[0] != drawn[1]
