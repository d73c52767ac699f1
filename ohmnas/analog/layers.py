"""Analog convolution and linear layer that keep torch's own kernels.

One matrix-vector multiplication on a tile, for the column (output) j of a part of the inputs, in the units of aihwkit:

    x' = round(x / r * d) / d, clipped to [-1, 1]           DAC; r is the input range, d = 2^(bits-1) - 1 levels a side
    y  = sum_i W_ij / s_j * x'_i + output_noise * N(0, 1)   crossbar; s_j is the largest weight of the column
    y' = round(y / b * a) * b / a, clipped to [-b, b]       ADC; b is its bound, a = 2^(bits-1) - 1 levels a side
    out = y' * r * s_j * alpha                              digital: scales, drift compensation, sum over parts

The layers work in DAC levels and ADC steps, so that the constant factors sit in the weights and each converter is a few
passes in place. Gradients pass straight through the rounding, and not at all where a converter clips.
"""

from __future__ import annotations

import math
import operator
from functools import reduce
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.mapping import Mapping
from ohmnas.analog.noise import NoisePool
from ohmnas.spaces.hardware import Hardware

Mode = Literal["digital", "analog"]

RANGE_STDS = 4.0
"""Input range in root mean squares of the input; what a ReLU lets through has a long tail."""
RANGE_MOMENTUM = 0.1
"""Weight of the newest batch in the running input range, as in batch norm."""


class _Convert(torch.autograd.Function):
    """Round to whole steps and clip at `limit`, in place; backward is straight through inside of the limits."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.mark_dirty(x)
        x.round_().clamp_(-limit, limit)
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grads[0], x, -ctx.limit, ctx.limit), None


def _levels(bits: int) -> float:
    """Levels a side of a symmetric converter; infinite if it is ideal."""
    return 2.0 ** (bits - 1) - 1 if bits else math.inf


class AnalogLayer(nn.Module):
    """A weight matrix on the tiles of a chip; subclasses say how it meets its input."""

    input_range: Tensor
    """Running input range r, a scalar: calibrated in training, fixed in evaluation."""

    def __init__(self, weight: Tensor, bias: Tensor | None, groups: int, chip: Hardware) -> None:
        """Take over a layer's parameters; the bias stays digital."""
        super().__init__()
        self.weight = weight
        self.bias = bias
        self.groups = groups
        self.chip = chip
        self.mapping = Mapping.of(weight, groups, chip)
        self.mode: Mode = "analog"
        self.noise: NoisePool | None = None
        self.register_buffer("input_range", torch.ones(()))
        self._programmed: tuple[Tensor, Tensor] | None = None

    def load(self, columns: Tensor, gain: Tensor) -> None:
        """Take a chip's weights for evaluation.

        Args:
            columns: ``(o, k)``, weights in units of their column's scale.
            gain: ``(o, p)``, the digital factor of each column: its scale times its drift compensation.
        """
        self._programmed = (columns, gain)

    def unload(self) -> None:
        """Forget the chip; the layer computes with its target weights again."""
        self._programmed = None

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """The layer's plain product of an input and a weight tensor that has the shape of `self.weight`."""
        raise NotImplementedError

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The part of input and weights that rows `start` to `stop` of the tiles see."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output for ``(batch, ...)``."""
        if self.mode == "digital":
            return self._add_bias(self.multiply(x, self.weight))
        if self.training:
            self._calibrate(x)
        chip = self.chip
        dac, adc = _levels(chip.dac_bits), _levels(chip.adc_bits)
        levels = dac if chip.dac_bits else 1.0
        step = chip.adc_bound / adc if chip.adc_bits else 1.0
        columns, gain = self._columns(1.0 / (step * levels))
        x = x * (levels / self.input_range)
        if chip.dac_bits:
            x = _convert(x, dac)
        weight = columns.view_as(self.weight)
        gain = gain * (self.input_range * step)

        outputs = []
        start = 0
        for part, size in enumerate(self.mapping.row_parts):
            whole = size == self.mapping.inputs
            y = self.multiply(*((x, weight) if whole else self.slice_inputs(x, weight, start, start + size)))
            if self.noise is not None and chip.output_noise:
                self.noise.add_(y.detach(), chip.output_noise / step)
            if chip.adc_bits:
                y = _convert(y, adc)
            outputs.append(y * gain[:, part].view(-1, *([1] * (x.dim() - 2))))
            start += size
        return self._add_bias(reduce(operator.add, outputs))

    def _add_bias(self, y: Tensor) -> Tensor:
        return y if self.bias is None else y + self.bias

    def _calibrate(self, x: Tensor) -> None:
        """Move the running input range towards `RANGE_STDS` root mean squares of this batch; the first sets it."""
        with torch.no_grad():
            now = x.norm() * (RANGE_STDS / math.sqrt(x.numel())) + 1e-6
            if self._calibrated:
                self.input_range.lerp_(now, RANGE_MOMENTUM)
            else:
                self.input_range.copy_(now)
                self._calibrated = True

    _calibrated = False

    def _columns(self, unit: float) -> tuple[Tensor, Tensor]:
        """The weights that the tiles hold now, times `unit`, and their digital factors, ``(o, k)`` and ``(o, p)``.

        In training: the target weights with the chip's training noise, which gradients pass. In evaluation: the chip's
        weights, or the targets if no chip is loaded.
        """
        if self._programmed is not None and not self.training:
            columns, gain = self._programmed
            return columns * unit, gain
        scale = self.mapping.column_scale(self.weight)
        columns = self.weight.flatten(1) * (unit / self.mapping.expand(scale))
        if self.training and self.chip.training_noise:
            columns = columns + torch.randn_like(columns).mul_(self.chip.training_noise * unit)
        return columns, scale


def _convert(x: Tensor, limit: float) -> Tensor:
    result: Tensor = _Convert.apply(x, limit)  # type: ignore[no-untyped-call]
    return result


class AnalogConv2d(AnalogLayer):
    """`torch.nn.Conv2d` on tiles; each group of channels lies on tiles of its own."""

    def __init__(self, layer: nn.Conv2d, chip: Hardware) -> None:
        """Take over a convolution.

        Raises:
            NotImplementedError: it pads otherwise than with zeros, is dilated or has a bias.
        """
        if layer.padding_mode != "zeros" or layer.dilation != (1, 1) or layer.bias is not None:
            raise NotImplementedError(f"only plain convolutions without bias are analog, not {layer}")
        super().__init__(layer.weight, None, layer.groups, chip)
        self.stride = layer.stride
        self.padding = layer.padding

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, o, h', w')``."""
        return functional.conv2d(x, weight, None, self.stride, self.padding, 1, self.groups)

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The channels that a part touches; weights of its first and last channel beyond the cut are 0."""
        area = weight[0, 0].numel()
        first, last = start // area, -(-stop // area)
        inside = torch.zeros((last - first) * area, dtype=weight.dtype)
        inside[start - first * area : stop - first * area] = 1.0
        x = torch.unflatten(x, 1, (self.groups, -1))[:, :, first:last].flatten(1, 2)
        return x, weight[:, first:last] * inside.view(1, last - first, *weight.shape[2:])


class AnalogLinear(AnalogLayer):
    """`torch.nn.Linear` on tiles, with a digital bias."""

    def __init__(self, layer: nn.Linear, chip: Hardware) -> None:
        """Take over a linear layer."""
        super().__init__(layer.weight, layer.bias, 1, chip)

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, k)`` -> ``(batch, o)``."""
        return functional.linear(x, weight)

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The inputs of a part."""
        return x[:, start:stop], weight[:, start:stop]
