"""An analog convolution with its batch norm and the following ReLU or sum of branches, as one node on a CPU.

It computes the same result as the plain torch code of `layers`, but with the compiled `kernels`; tests compare the two.
Only the outputs of the DAC and the ADC are stored. The backward pass needs no other values from inside the layer. Both
outputs are whole numbers, so the convolution between them may use bfloat16 (`precision`): its inputs are exact and its
sums are in float32. Only weights, outputs (before noise and ADC) and gradients are rounded, by at most 0.2 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor

from ohmnas.analog import kernels
from ohmnas.analog.groups import join, joined_by, part
from ohmnas.analog.layers import AnalogConv2d
from ohmnas.hardware import Hardware

FEWEST_PIXELS = 16
"""Smallest number of pixels for bfloat16. With fewer pixels, bfloat16 is not faster. With one pixel, oneDNN (torch
2.12) does not set the gradient of kernel taps that no pixel reaches."""


class FusedConv2d(AnalogConv2d):
    """`AnalogConv2d` that uses the fused path if possible (`applies`)."""

    precision: torch.dtype
    """Number format of the convolution on the fused path: float32 or bfloat16."""

    def __init__(self, layer: torch.nn.Conv2d, chip: Hardware) -> None:
        """Convert a convolution."""
        super().__init__(layer, chip)
        self.precision = torch.float32

    @property
    def branches(self) -> int:
        """Number of branches summed after the batch norm."""
        return 1 if self.sum is None else self.sum.branches

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """See `AnalogConv2d`."""
        several = joined_by(self.groups, weight)
        return self.convolve(x, join(weight, self.groups, several), self.groups // several)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, o / b, h', w')``, including all fused modules; b is `branches`.

        Raises:
            InvalidValueError: the shape of the input does not match the layer.
        """
        self.check(x)
        if self.mode == "digital" or not applies(self, x):
            return super().forward(x)
        norm = cast(kernels.TrackedNorm, self.norm)
        if self.training:
            self.calibrate(x)
        if torch.is_grad_enabled():
            result: Tensor = _Step.apply(x, self.weight, norm.weight, norm.bias, self.log_range, self)  # type: ignore[no-untyped-call]
            return result
        return _compute(self, x, None)


def applies(layer: AnalogConv2d, x: Tensor) -> bool:
    """Return True if a layer can use the fused path.

    It needs float32 inputs on a CPU, a DAC, an ADC, and a following batch norm with weights and running statistics. The
    convolution must have no bias, no dilation and the same zero padding on both sides. Gradients are only supported if
    the batch norm uses the statistics of the batch, as in training.
    """
    norm = layer.norm
    if (
        norm is None
        or not norm.affine
        or not norm.track_running_stats
        or (torch.is_grad_enabled() and not norm.training)
    ):
        return False
    if layer.bias is not None or layer.dilation != (1, 1) or any(layer.sides):
        return False
    return layer.chip.dac_bits > 0 and layer.chip.adc_bits > 0 and kernels.usable(x)


class _Step(torch.autograd.Function):
    """Forward and backward pass. Gradients pass straight through rounding and are 0 where a converter clips."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor, log_range: Tensor, layer: FusedConv2d
    ) -> Tensor:
        del weight, scale, bias, log_range  # parameters of the layer, passed so that autograd tracks them
        ctx.layer = layer
        return _compute(layer, x, ctx)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        layer: FusedConv2d = ctx.layer
        quantised, columns, scale, *read = ctx.saved_tensors
        outputs, norm, total = read[:-4], read[-4:-1], read[-1]
        wanted = ctx.needs_input_grad[0]  # images need no gradient
        factor = torch.reciprocal(scale).mul_(ctx.unit)
        if len(outputs) == 1:
            rows, clip = kernels.rows_of(outputs[0]), layer.adc_levels
            flow, sums = _through_norm(ctx, grads[0], rows, norm, clip, quantised.dtype)
            back, weight = _backward(layer, kernels.from_rows(flow, outputs[0]), quantised, columns, wanted)
        else:
            flow, sums = _through_norm(ctx, grads[0], total, norm, math.inf, torch.float32)
            gain = scale * ctx.range_step
            back, weight = _through_slices(
                layer, kernels.from_rows(flow, outputs[0]), outputs, gain, quantised, columns, wanted
            )
            factor = layer.mapping.expand(factor)
        steep = None
        if back is not None:
            back, steepness = kernels.mask_and_sum(back, quantised, ctx.input_scale, layer.dac_levels)
            steep = torch.tensor(-steepness)
        weight = weight.flatten(1) * factor
        return back, weight.view(layer.weight.shape), sums[0], sums[1], steep, None


def _through_norm(
    ctx: Any, grad: Tensor, rows: Tensor, norm: Sequence[Tensor], clip: float, precision: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Gradients of the batch norm's input rows (0 where a value reaches `clip`), and of its weight and bias."""
    scale, shift, statistics = norm
    branches = ctx.layer.branches
    grad = kernels.rows_of(grad)
    return kernels.normalise_backward(grad, rows, (scale, shift, statistics), ctx.floor, clip, precision, branches)


def _through_slices(
    layer: FusedConv2d,
    flow: Tensor,
    outputs: Sequence[Tensor],
    gain: Tensor,
    x: Tensor,
    weight: Tensor,
    wants_x: bool,
) -> tuple[Tensor | None, Tensor]:
    """Gradients of the input (if wanted) and the weight of a layer whose rows need several tiles, each with its ADC."""
    back = torch.zeros_like(x, dtype=torch.float32) if wants_x else None
    steep = torch.zeros_like(weight, dtype=torch.float32)
    for tile, (start, stop) in enumerate(pairwise(layer.mapping.starts.tolist())):
        one = kernels.mask(flow, outputs[tile], 1.0, layer.adc_levels) * gain[:, tile].view(-1, 1, 1)
        seen, held = layer.slice_inputs(x, weight, start, stop)
        x_part, w_part = _backward(layer, one.to(seen.dtype), seen, held, wants_x)
        layer.add_slices(back, x_part, steep, w_part, start, stop)
    return back, steep


def _backward(
    layer: AnalogConv2d, grad: Tensor, x: Tensor, weight: Tensor, wants_x: bool
) -> tuple[Tensor | None, Tensor]:
    """Gradients of the input (if wanted) and the weight of a convolution."""
    several = joined_by(layer.groups, weight)
    held = join(weight, layer.groups, several)
    geometry = (layer.stride, layer.padding, (1, 1), False, (0, 0), layer.groups // several)
    back, steep = torch.ops.aten.convolution_backward(grad, x, held, None, *geometry, (wants_x, True, False))[:2]
    return back, part(steep, layer.groups, several)


def _compute(layer: FusedConv2d, x: Tensor, ctx: Any) -> Tensor:
    """Forward pass. If there is a context, store in it the values that the backward pass needs."""
    norm = cast(kernels.TrackedNorm, layer.norm)
    chip = layer.chip
    input_range, step = float(layer.input_range), layer.adc_step
    unit = 1.0 / (step * layer.dac_levels)
    columns, scale = layer.columns(unit)
    precision = layer.precision if x.shape[2] * x.shape[3] >= FEWEST_PIXELS else torch.float32
    weight = columns.view_as(layer.weight).to(precision, memory_format=torch.channels_last)
    input_scale = layer.dac_levels / input_range
    quantised = kernels.quantise(x, input_scale, layer.dac_levels, precision)
    noise_steps = chip.output_noise / step
    outputs: list[Tensor] = []
    gain = scale * (input_range * step)
    if len(layer.mapping.row_parts) == 1:
        outputs.append(layer.multiply(quantised, weight))
        kernels.convert_(outputs[0], layer.noise, noise_steps, layer.adc_levels)
        total, gain = outputs[0], gain[:, 0].contiguous()
    else:
        total = torch.zeros(())
        for part, (start, stop) in enumerate(pairwise(layer.mapping.starts.tolist())):
            y = layer.multiply(*layer.slice_inputs(quantised, weight, start, stop))
            kernels.convert_(y, layer.noise, noise_steps, layer.adc_levels)
            outputs.append(y)
            total = total + y * gain[:, part].view(-1, 1, 1)
        gain = torch.ones(len(gain))

    rows = kernels.rows_of(total)
    floor = 0.0 if layer.relu else -math.inf
    if norm.training:
        result, saved = kernels.normalise(rows, gain, norm, floor, layer.branches)
        if ctx is not None:
            ctx.save_for_backward(quantised, weight, scale, *outputs, *saved, rows)
            ctx.unit, ctx.input_scale, ctx.floor, ctx.range_step = unit, input_scale, floor, input_range * step
    else:
        spread = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        result = kernels.affine(rows, spread * gain, norm.bias - norm.running_mean * spread, floor, layer.branches)
    return kernels.from_rows(result, total)
