"""Analog convolution and linear layer. Torch's own kernels do the multiplications.

A matrix-vector multiplication on one tile, for column (output) j and one part of the inputs, in the units of aihwkit:

    x' = round(x / r * d) / d, clipped to [-1, 1]          DAC; r is the input range, d = 2^(bits-1) - 1 levels per side
    y  = sum_i W_ij / s_j * x'_i + output_noise * N(0, 1)  crossbar; s_j is the largest weight of the column
    y' = round(y / b * a) * b / a, clipped to [-b, b]      ADC; b is its bound, a = 2^(bits-1) - 1 levels per side
    out = y' * r * s_j * alpha                             digital: scales, drift compensation, sum over parts

The layers compute in DAC levels and ADC steps, so the constant factors are part of the weights. Gradients pass straight
through the rounding and are 0 where a converter clips. This file runs on any device; `fused` computes the same
results in fewer passes on a CPU.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog import kernels
from ohmnas.analog.gradients import converted, noisy_columns, pass_unclipped, relative_columns, scale_input
from ohmnas.analog.mapping import Mapping
from ohmnas.analog.noise import Noise
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.spaces.modules import BranchSum

Mode = Literal["digital", "analog"]
"""``digital`` is exact arithmetic, without noise or rounding. Values still saturate at the converters' limits, because
the network was trained with these limits. ``analog`` includes noise and rounding."""

RANGE_MULTIPLE = 4.0
"""Initial input range, as a multiple of the input's root mean square; large, because ReLU outputs have a long tail."""
SMALLEST_RANGE = 1e-6
"""Added to the root mean square of an input, and the smallest range for images: a range must be above 0 even if all
inputs are 0."""
RANGE_MOMENTUM = 0.1
"""Weight of the newest batch in the running root mean square of the input, as in batch norm."""


def _levels(bits: int) -> float:
    """Levels per side of a symmetric converter; infinite if it is ideal."""
    return 2.0 ** (bits - 1) - 1 if bits else math.inf


class AnalogLayer(nn.Module):
    """A weight matrix on the tiles of a chip; subclasses define the operation on its input."""

    input_rms: Tensor
    """Running root mean square of the input, a scalar; updated in training, fixed in evaluation."""
    input_range: Tensor
    """Input range r, a scalar: `input_rms` times ``exp(log_range)`` at the last training step. For a layer that reads
    images: their largest absolute value so far."""

    def __init__(self, weight: Tensor, bias: Tensor | None, groups: int, chip: Hardware) -> None:
        """Use the parameters of a torch layer, without copying them. The bias stays digital."""
        super().__init__()
        self.path = ""
        """Name of the layer in its network, for messages."""
        self.weight = weight
        self.bias = bias
        self.groups = groups
        self.chip = chip
        self.mapping = Mapping.of(weight, groups, chip)
        self.mode: Mode = "analog"
        self.noise: Noise | None = None
        self.noise_strength: float | Tensor = 1.0
        """Weight noise in training, relative to the chip's `training_noise`."""
        self.norm: nn.BatchNorm2d | None = None
        self.relu = False
        self.sum: BranchSum | None = None
        """Module that sums the branches, instead of a ReLU; None if there are no branches."""
        self.dac_levels = _levels(chip.dac_bits)
        self.adc_levels = _levels(chip.adc_bits)
        self.adc_step = chip.adc_bound / self.adc_levels if chip.adc_bits else 1.0
        """One step of the ADC in units of the crossbar's output."""
        self.log_range = nn.Parameter(torch.tensor(math.log(RANGE_MULTIPLE), device=weight.device))
        """Logarithm of the input range divided by the root mean square of the input; a trained parameter."""
        self.register_buffer("input_rms", torch.ones((), device=weight.device))
        self.register_buffer("input_range", torch.tensor(RANGE_MULTIPLE, device=weight.device))
        self._calibrated = False
        self.reads_images = False
        """True if the layer reads images, which need no gradient."""
        self._programmed: tuple[Tensor, Tensor] | None = None

    kind: ClassVar[str]
    """Name of the layer's type in torch, for messages."""

    @property
    def calibrated(self) -> bool:
        """True if the input range was set, or if the DAC is ideal and needs no range."""
        return self._calibrated or self.chip.dac_bits == 0 or float(self.input_range) != RANGE_MULTIPLE

    def mark_calibrated(self) -> None:
        """Mark the input range as set, for a layer with a loaded state."""
        self._calibrated = True

    def set_range(self, value: Tensor) -> None:
        """Set the input range to a tensor with one number above 0."""
        with torch.no_grad():
            self.input_range.copy_(value.reshape(()))
            self.input_rms.copy_(self.input_range / math.exp(float(self.log_range)))
        self.mark_calibrated()

    def load(self, columns: Tensor, gain: Tensor) -> None:
        """Use a chip's weights for evaluation.

        Args:
            columns: ``(o, k)``, weights in units of their column's scale.
            gain: ``(o, p)``, the digital factor of each column: its scale times its drift compensation.
        """
        self._programmed = (columns, gain)

    def unload(self) -> None:
        """Remove the chip's weights and use the target weights again."""
        self._programmed = None

    def to_torch(self) -> nn.Module:
        """Return a torch layer with the same parameters."""
        raise NotImplementedError

    def absorbed(self) -> list[nn.Module]:
        """Modules after this layer that were fused into it."""
        modules = [self.norm, nn.ReLU(inplace=True) if self.relu else None, self.sum]
        return [module for module in modules if module is not None]

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the exact product of an input and the weights; both may be slices from `slice_inputs`."""
        raise NotImplementedError

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Slices of `x` and `weight` that hold the inputs `start` to `stop` of each output."""
        raise NotImplementedError

    def check(self, x: Tensor) -> None:
        """Check the shape of an input.

        Raises:
            InvalidValueError: the shape of the input does not match the layer.
        """
        raise NotImplementedError

    def pad(self, x: Tensor) -> Tensor:
        """Add the padding that `multiply` does not add itself."""
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for an input ``(batch, ...)``.

        Raises:
            InvalidValueError: the shape of the input does not match the layer.
        """
        self.check(x)
        analog = self.mode == "analog"
        if self.training and analog:
            self.calibrate(x)
        x = self.pad(x)
        levels = self.dac_levels if self.chip.dac_bits else 1.0
        columns, gain = self.columns(1.0 / (self.adc_step * levels))
        gain = gain * (self._range() * self.adc_step)
        learned = self.log_range.detach() if self.reads_images else self.log_range
        x = scale_input(x, learned, self.input_range, levels, self.chip.dac_bits > 0, analog)
        weight = columns.view_as(self.weight)
        outputs = []
        for part, (start, stop) in enumerate(pairwise(self.mapping.starts.tolist())):
            y = self.multiply(*self.slice_inputs(x, weight, start, stop))
            with torch.no_grad():
                if self.noise is not None and self.chip.output_noise and analog:
                    self.noise.add_(y, self.chip.output_noise / self.adc_step)
            if self.chip.adc_bits:
                y = pass_unclipped(converted(y, self.adc_levels, analog), self.adc_levels)
            outputs.append(y * gain[:, part].view(-1, *([1] * (y.dim() - 2))))
        return self._digital(torch.stack(outputs).sum(dim=0) if len(outputs) > 1 else outputs[0])

    def _digital(self, y: Tensor) -> Tensor:
        """Apply the digital periphery after the tiles."""
        if self.bias is not None:
            y = y + self.bias.view(-1, *([1] * (y.dim() - 2)))
        if self.norm is not None:
            y = self.norm(y)
        if self.sum is not None:
            y = self.sum(y)
        elif self.relu:
            y = torch.relu(y)
        return y

    def _range(self) -> Tensor:
        """The input range: in training, computed from `log_range` for its gradient; otherwise, the stored value."""
        if self.training and torch.is_grad_enabled() and not self.reads_images:
            return self.input_rms * torch.exp(self.log_range)
        return self.input_range

    def calibrate(self, x: Tensor, momentum: float = RANGE_MOMENTUM) -> None:
        """Update the running root mean square of the input with a batch, then the range. The first batch sets both.

        The range of a layer that reads images is their largest absolute value so far. Images are bounded, and their
        gradient would cost a convolution.

        Args:
            x: a batch of inputs.
            momentum: weight of this batch; with 1, all earlier batches are ignored.
        """
        averages = self._calibrated and momentum < 1.0
        if torch.is_grad_enabled():
            self.reads_images = not x.requires_grad
        with torch.no_grad():
            if self.reads_images:
                largest = x.abs().amax().clamp_(min=SMALLEST_RANGE)  # the output of a cell without a path is all zeros
                self.input_range.copy_(torch.maximum(self.input_range, largest) if averages else largest)
            elif kernels.usable(x):
                now = kernels.root_mean_square(x) + SMALLEST_RANGE
                before = float(self.input_rms)
                now = before + momentum * (now - before) if averages else now
                self.input_rms.fill_(now)
                self.input_range.fill_(now * math.exp(float(self.log_range.detach())))
            else:
                norm = torch.linalg.vector_norm(x) / math.sqrt(x.numel()) + SMALLEST_RANGE
                self.input_rms.copy_(torch.lerp(self.input_rms, norm, momentum) if averages else norm)
                torch.mul(self.input_rms, torch.exp(self.log_range), out=self.input_range)
        self._calibrated = True

    def columns(self, unit: float) -> tuple[Tensor, Tensor]:
        """The current weights on the tiles, times `unit`, and their digital factors: ``(o, k)`` and ``(o, p)``.

        In training, these are the target weights with the chip's training noise; gradients pass through it. The mode
        ``digital`` has no noise. In evaluation, these are the chip's weights, or the target weights if no chip is
        loaded.
        """
        if self._programmed is not None and not self.training:
            columns, gain = self._programmed
            return columns * unit, gain
        weight = self.weight.flatten(1)
        has_noise = self.training and self.mode == "analog"
        std = self.noise_strength * (self.chip.training_noise * unit if has_noise else 0.0)
        noisy = isinstance(std, Tensor) or std > 0.0
        noise = self.weight_noise(weight) if noisy else weight.detach()  # any values: they are multiplied by 0
        if not torch.is_grad_enabled():
            return relative_columns(weight.detach(), noise, self.mapping, std, unit)
        return noisy_columns(weight, noise, self.mapping, std, unit)

    def weight_noise(self, weight: Tensor) -> Tensor:
        """Standard normal numbers in the shape of the weights; from torch's global generator if `noise` is None."""
        return self.noise.take(weight) if self.noise is not None else torch.randn_like(weight)


class AnalogConv2d(AnalogLayer):
    """`torch.nn.Conv2d` on tiles; each group of channels has its own tiles."""

    kind = "Conv2d"

    def __init__(self, layer: nn.Conv2d, chip: Hardware) -> None:
        """Convert a convolution. The bias stays digital."""
        super().__init__(layer.weight, layer.bias, layer.groups, chip)
        self.stride = layer.stride
        self.dilation = layer.dilation
        self.padding, self.sides = padding_of(layer)
        self._given = layer.padding, layer.padding_mode

    def to_torch(self) -> nn.Conv2d:
        """Return a convolution with the same parameters."""
        outputs, inputs, *kernel = self.weight.shape
        padding, mode = self._given
        geometry: dict[str, Any] = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        geometry |= {"padding": padding, "padding_mode": mode, "bias": self.bias is not None}
        layer = nn.Conv2d(inputs * self.groups, outputs, (kernel[0], kernel[1]), **geometry)
        return _with_parameters(layer, self)

    def check(self, x: Tensor) -> None:
        """See `AnalogLayer`."""
        channels = self.weight.shape[1] * self.groups
        if x.dim() != 4 or x.shape[1] != channels:
            raise InvalidValueError(
                f"{self.path or 'a convolution'} reads (batch, {channels}, height, width), not {tuple(x.shape)}"
            )

    def pad(self, x: Tensor) -> Tensor:
        """See `AnalogLayer`."""
        if not any(self.sides):
            return x
        mode = self._given[1]
        return functional.pad(x, self.sides, "constant" if mode == "zeros" else mode)

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, o, h', w')``, in channels_last."""
        return self.convolve(x, weight, self.groups)

    def convolve(self, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        """Convolve with weights in this number of groups."""
        weight = weight.contiguous(memory_format=torch.channels_last)
        y = functional.conv2d(x, weight, None, self.stride, self.padding, self.dilation, groups)
        # torch's 1x1 convolution of a contiguous input does not return channels_last
        return y.contiguous(memory_format=torch.channels_last)

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The channels with these inputs. In the first and last channel, weights outside `start` to `stop` are 0."""
        if stop - start == self.mapping.inputs:
            return x, weight
        first, last, inside = self._channels(start, stop, weight)
        x = torch.unflatten(x, 1, (self.groups, -1))[:, :, first:last].flatten(1, 2)
        return x, weight[:, first:last] * inside

    def add_slices(
        self, x: Tensor | None, part_of_x: Tensor | None, weight: Tensor, part_of_weight: Tensor, start: int, stop: int
    ) -> None:
        """Backward through `slice_inputs`: add gradients of slices to `x` and `weight`, in place; None is skipped."""
        first, last, inside = self._channels(start, stop, weight)
        if x is not None and part_of_x is not None:
            target = torch.unflatten(x, 1, (self.groups, -1))[:, :, first:last]
            target += torch.unflatten(part_of_x, 1, (self.groups, -1))
        weight[:, first:last] += part_of_weight * inside

    def _channels(self, start: int, stop: int, weight: Tensor) -> tuple[int, int, Tensor]:
        """First channel and last channel + 1 of the inputs `start` to `stop`; a mask: 1 for these inputs, else 0."""
        area = weight[0, 0].numel()
        first, last = start // area, -(-stop // area)
        inside = torch.zeros((last - first) * area, dtype=weight.dtype, device=weight.device)
        inside[start - first * area : stop - first * area] = 1.0
        return first, last, inside.view(1, last - first, *weight.shape[2:])


class AnalogLinear(AnalogLayer):
    """`torch.nn.Linear` on tiles, with a digital bias."""

    kind = "Linear"

    def __init__(self, layer: nn.Linear, chip: Hardware) -> None:
        """Convert a linear layer. The bias stays digital."""
        super().__init__(layer.weight, layer.bias, 1, chip)

    def to_torch(self) -> nn.Linear:
        """Return a linear layer with the same parameters."""
        layer = nn.Linear(self.weight.shape[1], self.weight.shape[0], bias=self.bias is not None)
        return _with_parameters(layer, self)

    def check(self, x: Tensor) -> None:
        """See `AnalogLayer`."""
        inputs = self.weight.shape[1]
        if not x.dim() or x.shape[-1] != inputs:
            raise InvalidValueError(f"{self.path or 'a linear layer'} reads (..., {inputs}), not {tuple(x.shape)}")

    def forward(self, x: Tensor) -> Tensor:
        """``(..., k)`` -> ``(..., o)``; all leading axes form one batch."""
        if x.dim() == 2:
            return super().forward(x)
        self.check(x)
        return super().forward(x.reshape(-1, x.shape[-1])).view(*x.shape[:-1], self.weight.shape[0])

    def multiply(self, x: Tensor, weight: Tensor) -> Tensor:
        """``(batch, k)`` -> ``(batch, o)``."""
        return functional.linear(x, weight)

    def slice_inputs(self, x: Tensor, weight: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The inputs of a part."""
        return x[:, start:stop], weight[:, start:stop]


def padding_of(layer: nn.Conv2d) -> tuple[tuple[int, int], list[int]]:
    """The padding of a convolution, in one of two forms; the other form is all zeros.

    The first form, ``(rows, columns)`` of zeros on each side, is an argument of the convolution. The second form,
    ``[left, right, top, bottom]`` for `torch.nn.functional.pad`, is used if the sides differ or the padding mode is not
    ``zeros``.
    """
    if layer.padding == "valid":
        return (0, 0), [0] * 4
    if isinstance(layer.padding, str):
        spans = [dilation * (size - 1) for dilation, size in zip(layer.dilation, layer.kernel_size, strict=True)]
        top, left = (span // 2 for span in spans)
        bottom, right = spans[0] - top, spans[1] - left
    else:
        top, left = bottom, right = layer.padding
    if layer.padding_mode == "zeros" and (top, left) == (bottom, right):
        return (top, left), [0] * 4
    return (0, 0), [left, right, top, bottom]


_Torch = TypeVar("_Torch", nn.Conv2d, nn.Linear)


def _with_parameters(layer: _Torch, analog: AnalogLayer) -> _Torch:
    """Return a torch layer with copies of an analog layer's parameters."""
    layer.weight = nn.Parameter(analog.weight.detach().clone(), analog.weight.requires_grad)
    if analog.bias is not None:
        layer.bias = nn.Parameter(analog.bias.detach().clone(), analog.bias.requires_grad)
    return layer.train(analog.training)
