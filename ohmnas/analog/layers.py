"""Analog convolution and linear layer that keep torch's own kernels.

One matrix-vector multiplication on a tile, for the column (output) j of a part of the inputs, in the units of aihwkit:

    x' = round(x / r * d) / d, clipped to [-1, 1]           DAC; r is the input range, d = 2^(bits-1) - 1 levels a side
    y  = sum_i W_ij / s_j * x'_i + output_noise * N(0, 1)   crossbar; s_j is the largest weight of the column
    y' = round(y / b * a) * b / a, clipped to [-b, b]       ADC; b is its bound, a = 2^(bits-1) - 1 levels a side
    out = y' * r * s_j * alpha                              digital: scales, drift compensation, sum over parts

The layers work in DAC levels and ADC steps, so that the constant factors sit in the weights. Gradients pass straight
through the rounding, and not at all where a converter clips. This file is plain torch for any device; `fused` computes
the same in fewer passes on a CPU.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog import kernels
from ohmnas.analog.mapping import Mapping
from ohmnas.analog.noise import Noise
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.network import BranchSum

Mode = Literal["digital", "analog"]

RANGE_STDS = 4.0
"""Input range in root mean squares of the input; what a ReLU lets through has a long tail."""
RANGE_MOMENTUM = 0.1
"""Weight of the newest batch in the running input range, as in batch norm."""


class _PassUnclipped(torch.autograd.Function):
    """The identity; its gradient is 0 where x has reached the limit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grads[0], x, -ctx.limit, ctx.limit), None


class _NoisyColumns(torch.autograd.Function):
    """Target weights ``(o, k)`` in units of their column's scale, with training noise; also the scales ``(o, p)``."""

    @staticmethod
    def forward(
        ctx: Any, weight: Tensor, noise: Tensor, mapping: Mapping, std: float | Tensor, unit: float
    ) -> tuple[Tensor, Tensor]:
        columns, scale = _relative_columns(weight, noise, mapping, std, unit)
        ctx.save_for_backward(scale)
        ctx.mapping, ctx.unit = mapping, unit
        ctx.mark_non_differentiable(scale)
        return columns, scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (scale,) = ctx.saved_tensors
        return grads[0] * ctx.mapping.expand(ctx.unit / scale), None, None, None, None


def _relative_columns(
    weight: Tensor, noise: Tensor, mapping: Mapping, std: float | Tensor, unit: float
) -> tuple[Tensor, Tensor]:
    """What `_NoisyColumns` computes."""
    if kernels.usable(weight):
        return kernels.columns(weight, noise, mapping.starts, float(std), unit)
    scale = mapping.column_scale(weight)
    return torch.addcmul(noise * std, weight, unit / mapping.expand(scale)), scale


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
        self.noise: Noise | None = None
        self.noise_strength: float | Tensor = 1.0
        """Weight noise in training relative to the chip's."""
        self.norm: nn.BatchNorm2d | None = None
        self.relu = False
        self.sum: BranchSum | None = None
        """Of branches, in place of the ReLU."""
        self.dac_levels = _levels(chip.dac_bits)
        self.adc_levels = _levels(chip.adc_bits)
        self.adc_step = chip.adc_bound / self.adc_levels if chip.adc_bits else 1.0
        """One step of the ADC in units of the crossbar's output."""
        self.register_buffer("input_range", torch.ones(()))
        self._calibrated = False
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
            return self._digital(self.multiply(x, self.weight))
        if self.training:
            self.calibrate(x)
        levels = self.dac_levels if self.chip.dac_bits else 1.0
        columns, gain = self.columns(1.0 / (self.adc_step * levels))
        gain = gain * (self.input_range * self.adc_step)
        x = x * (levels / self.input_range)
        if self.chip.dac_bits:
            x = _pass_unclipped(_converted(x, self.dac_levels), self.dac_levels)
        weight = columns.view_as(self.weight)
        outputs = []
        for part, (start, stop) in enumerate(pairwise(self.mapping.starts.tolist())):
            y = self.multiply(*self.slice_inputs(x, weight, start, stop))
            with torch.no_grad():
                if self.noise is not None and self.chip.output_noise:
                    self.noise.add_(y, self.chip.output_noise / self.adc_step)
            if self.chip.adc_bits:
                y = _pass_unclipped(_converted(y, self.adc_levels), self.adc_levels)
            outputs.append(y * gain[:, part].view(-1, *([1] * (y.dim() - 2))))
        return self._digital(torch.stack(outputs).sum(dim=0) if len(outputs) > 1 else outputs[0])

    def _digital(self, y: Tensor) -> Tensor:
        """What the digital periphery does behind the tiles."""
        if self.bias is not None:
            y = y + self.bias
        if self.norm is not None:
            y = self.norm(y)
        if self.sum is not None:
            y = self.sum(y)
        elif self.relu:
            y = torch.relu(y)
        return y

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Move the running input range towards `RANGE_STDS` root mean squares of a batch; the first sets it."""
        now = RANGE_STDS * self._root_mean_square(x) + 1e-6
        if self._calibrated:
            self.input_range.lerp_(now, RANGE_MOMENTUM)
        else:
            self.input_range.copy_(now)
            self._calibrated = True

    @staticmethod
    def _root_mean_square(x: Tensor) -> Tensor:
        if kernels.usable(x):
            return torch.tensor(kernels.root_mean_square(x))
        norm: Tensor = torch.linalg.vector_norm(x)
        return norm / math.sqrt(x.numel())

    def columns(self, unit: float) -> tuple[Tensor, Tensor]:
        """The weights that the tiles hold now, times `unit`, and their digital factors, ``(o, k)`` and ``(o, p)``.

        In training: the target weights with the chip's training noise, which gradients pass. In evaluation: the chip's
        weights, or the targets if no chip is loaded.
        """
        if self._programmed is not None and not self.training:
            columns, gain = self._programmed
            return columns * unit, gain
        weight = self.weight.flatten(1)
        std = self.noise_strength * (self.chip.training_noise * unit if self.training else 0.0)
        noisy = isinstance(std, Tensor) or std > 0.0
        noise = self.weight_noise(weight) if noisy else weight.detach()  # which is taken times 0
        if not torch.is_grad_enabled():
            return _relative_columns(weight.detach(), noise, self.mapping, std, unit)
        result: tuple[Tensor, Tensor] = _NoisyColumns.apply(weight, noise, self.mapping, std, unit)  # type: ignore[no-untyped-call]
        return result

    def weight_noise(self, weight: Tensor) -> Tensor:
        """Standard normal numbers in the shape of the weights: from the pool, or drawn where there is none."""
        return self.noise.take(weight) if self.noise is not None else torch.randn_like(weight)


def _converted(x: Tensor, limit: float) -> Tensor:
    """Rounded and clipped in place, unseen by autograd."""
    x.detach().round_().clamp_(-limit, limit)
    return x


def _pass_unclipped(x: Tensor, limit: float) -> Tensor:
    result: Tensor = _PassUnclipped.apply(x, limit)  # type: ignore[no-untyped-call]
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

    def to_torch(self) -> nn.Conv2d:
        """A convolution with the same weights."""
        outputs, inputs, *kernel = self.weight.shape
        geometry: dict[str, Any] = {"stride": self.stride, "padding": self.padding, "groups": self.groups}
        layer = nn.Conv2d(inputs * self.groups, outputs, (kernel[0], kernel[1]), bias=False, **geometry)
        layer.weight = nn.Parameter(self.weight.detach().clone())
        return layer

    def absorbed(self) -> list[nn.Module]:
        """The modules behind the convolution that it computes too."""
        modules = [self.norm, nn.ReLU(inplace=True) if self.relu else None, self.sum]
        return [module for module in modules if module is not None]

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, o, h', w')``, in channels_last."""
        return self.convolve(x, weight, self.groups)

    def convolve(self, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        """The product with weights of so many groups."""
        weight = weight.contiguous(memory_format=torch.channels_last)
        y = functional.conv2d(x, weight, None, self.stride, self.padding, 1, groups)
        return y.contiguous(memory_format=torch.channels_last)  # a 1x1 convolution of a contiguous input is not

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The channels that a part touches; weights of its first and last channel beyond the cut are 0."""
        if stop - start == self.mapping.inputs:
            return x, weight
        first, last, inside = self._channels(start, stop, weight)
        x = torch.unflatten(x, 1, (self.groups, -1))[:, :, first:last].flatten(1, 2)
        return x, weight[:, first:last] * inside

    def add_slices(
        self, x: Tensor | None, part_of_x: Tensor | None, weight: Tensor, part_of_weight: Tensor, start: int, stop: int
    ) -> None:
        """Add the gradients of `slice_inputs`'s results to those of its arguments, in place; None are not wanted."""
        first, last, inside = self._channels(start, stop, weight)
        if x is not None and part_of_x is not None:
            target = torch.unflatten(x, 1, (self.groups, -1))[:, :, first:last]
            target += torch.unflatten(part_of_x, 1, (self.groups, -1))
        weight[:, first:last] += part_of_weight * inside

    def _channels(self, start: int, stop: int, weight: Tensor) -> tuple[int, int, Tensor]:
        """The range of channels that inputs `start` to `stop` lie in, and 1 for those inputs, 0 for the others."""
        area = weight[0, 0].numel()
        first, last = start // area, -(-stop // area)
        inside = torch.zeros((last - first) * area, dtype=weight.dtype, device=weight.device)
        inside[start - first * area : stop - first * area] = 1.0
        return first, last, inside.view(1, last - first, *weight.shape[2:])


class AnalogLinear(AnalogLayer):
    """`torch.nn.Linear` on tiles, with a digital bias."""

    def __init__(self, layer: nn.Linear, chip: Hardware) -> None:
        """Take over a linear layer."""
        super().__init__(layer.weight, layer.bias, 1, chip)

    def to_torch(self) -> nn.Linear:
        """A linear layer with the same weights."""
        layer = nn.Linear(self.weight.shape[1], self.weight.shape[0], bias=self.bias is not None)
        layer.load_state_dict({name: p.detach().clone() for name, p in self.named_parameters()})
        return layer

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, k)`` -> ``(batch, o)``."""
        return functional.linear(x, weight)

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The inputs of a part."""
        return x[:, start:stop], weight[:, start:stop]
