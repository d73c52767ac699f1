"""Gradients of the validation loss with respect to the logits, with the current weights or after one more step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.analog.noise import Noise

Loss = Callable[[], Tensor]
"""Runs the network on a batch with its current weights and the gates of its current logits."""
_STEP: Final = 0.01
"""Length of the finite difference in weight space, as in DARTS."""


def first_order(loss: Loss, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss and its gradient with respect to the logits, with the current weights."""
    value = loss()
    if not value.requires_grad:
        return value, torch.zeros_like(logits)
    (found,) = torch.autograd.grad(value, [logits], allow_unused=True)
    return value.detach(), torch.zeros_like(logits) if found is None else found


def second_order(
    validation: Loss,
    training: Loss,
    logits: Tensor,
    parameters: list[nn.Parameter],
    ahead: Callable[[nn.Parameter, Tensor], Tensor],
    rate: float,
    noise: Noise,
) -> tuple[Tensor, Tensor]:
    """Return the validation loss after one step of the weights, and its gradient with respect to the logits.

    This is equation 7 of DARTS. The step depends on the logits, too: its part of the gradient is a finite difference of
    the training gradients for two nearby sets of weights. Both gradients use the same noise: otherwise, their
    difference would be mostly noise.

    Args:
        validation: loss on validation images.
        training: loss on training images.
        logits: logits of the choices.
        parameters: weights.
        ahead: parameter and gradient -> the parameter after the step.
        rate: learning rate of the step.
        noise: the layers' source of noise.
    """
    slopes = _gradients(training(), parameters)
    kept = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.copy_(ahead(parameter, slope))
    value = validation()
    direct, *steep = _gradients(value, [logits, *parameters])
    length = torch.sqrt(sum((one.square().sum() for one in steep), torch.zeros(())))
    step = _STEP / float(length.clamp_min(1e-12))
    place = noise.state()
    sides = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for parameter, start, one in zip(parameters, kept, steep, strict=True):
                parameter.copy_(start + sign * step * one)
        noise.set_state(place)
        sides += _gradients(training(), [logits])
    with torch.no_grad():
        for parameter, start in zip(parameters, kept, strict=True):
            parameter.copy_(start)
    return value.detach(), direct - rate * (sides[0] - sides[1]) / (2.0 * step)


def _gradients(value: Tensor, tensors: list[Tensor] | list[nn.Parameter]) -> list[Tensor]:
    """Gradients; zeros for tensors that the value does not depend on."""
    found = torch.autograd.grad(value, tensors, allow_unused=True)
    return [torch.zeros_like(one) if slope is None else slope for one, slope in zip(tensors, found, strict=True)]
