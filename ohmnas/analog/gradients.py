"""Operations whose gradients pass straight through rounding and are 0 where values are clipped."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ohmnas.analog import kernels
from ohmnas.analog.mapping import Mapping


class _PassUnclipped(torch.autograd.Function):
    """Identity whose gradient is 0 where x has reached the limit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grads[0], x, -ctx.limit, ctx.limit), None


class _ScaleInput(torch.autograd.Function):
    """The input in DAC levels, rounded and clipped, for an input range proportional to ``exp(log_range)``.

    The gradient of `log_range` is minus the sum of gradient times level over the inputs that are not clipped. Together
    with the gradient of the range in the gain after the ADC, it balances clipping against noise and rounding.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, log_range: Tensor, input_range: Tensor, levels: float, clips: bool, rounds: bool
    ) -> Tensor:
        del log_range  # part of the input range; passed so that autograd tracks it
        scaled = x * (levels / input_range)
        if clips:
            converted(scaled, levels, rounds)
        ctx.save_for_backward(scaled, input_range)
        ctx.levels, ctx.clips = levels, clips
        return scaled

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None, None]:
        scaled, input_range = ctx.saved_tensors
        passed = grads[0]
        if ctx.clips:
            passed = torch.ops.aten.hardtanh_backward(passed, scaled, -ctx.levels, ctx.levels)
        return passed * (ctx.levels / input_range), -(passed * scaled).sum(), None, None, None, None


class _NoisyColumns(torch.autograd.Function):
    """Target weights ``(o, k)`` in units of their column's scale, with training noise, and the scales ``(o, p)``."""

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, noise: Tensor, mapping: Mapping, std: float | Tensor, unit: float
    ) -> tuple[Tensor, Tensor]:
        columns, scale = relative_columns(weight, noise, mapping, std, unit)
        ctx.save_for_backward(scale)
        ctx.mapping, ctx.unit = mapping, unit
        ctx.mark_non_differentiable(scale)
        return columns, scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (scale,) = ctx.saved_tensors
        return grads[0] * ctx.mapping.expand(ctx.unit / scale), None, None, None, None


def relative_columns(
    weight: Tensor, noise: Tensor, mapping: Mapping, std: float | Tensor, unit: float
) -> tuple[Tensor, Tensor]:
    """Weights in units of their column's scale, with training noise, without autograd; see `noisy_columns`."""
    if kernels.usable(weight):
        return kernels.columns(weight, noise, mapping.starts, float(std), unit)
    scale = mapping.column_scale(weight)
    return torch.addcmul(noise * std, weight, unit / mapping.expand(scale)), scale


def noisy_columns(
    weight: Tensor, noise: Tensor, mapping: Mapping, std: float | Tensor, unit: float
) -> tuple[Tensor, Tensor]:
    """Target weights in units of their column's scale, with training noise.

    Args:
        weight: ``(o, k)``.
        noise: ``(o, k)`` standard normal numbers.
        mapping: mapping of the layer to tiles.
        std: standard deviation of the noise in the result.
        unit: value that the largest weight of a column gets in the result.

    Returns:
        The weights ``(o, k)``, and the scales ``(o, p)``, one for each part of the inputs and without gradients.
    """
    result: tuple[Tensor, Tensor] = _NoisyColumns.apply(weight, noise, mapping, std, unit)  # type: ignore[no-untyped-call]
    return result


def scale_input(x: Tensor, log_range: Tensor, input_range: Tensor, levels: float, clips: bool, rounds: bool) -> Tensor:
    """The input in DAC levels, optionally clipped and rounded; its gradient also trains the range."""
    result: Tensor = _ScaleInput.apply(x, log_range, input_range, levels, clips, rounds)  # type: ignore[no-untyped-call]
    return result


def converted(x: Tensor, limit: float, rounds: bool) -> Tensor:
    """Round x if `rounds` is True, clip it to +-limit, and return it; in place and without autograd."""
    hidden = x.detach()
    if rounds:
        hidden.round_()
    hidden.clamp_(-limit, limit)
    return x


def pass_unclipped(x: Tensor, limit: float) -> Tensor:
    """Return x; its gradient is 0 where x has reached the limit."""
    result: Tensor = _PassUnclipped.apply(x, limit)  # type: ignore[no-untyped-call]
    return result
