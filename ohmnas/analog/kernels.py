"""Single-pass operations on activations, compiled for CPUs with numba; torch would need several passes.

An activation is treated as rows, ``(p, c)``: p positions (images x pixels) of c channels, dense in channels_last. On a
CPU, all operations except the convolution take time in proportion to their passes over memory. Here, rounding,
noise, clipping, batch norm and ReLU take four passes forward and three backward instead of about twenty. `layers` has
the same operations in plain torch for other devices, and tests compare the two. `cpu_kernels` has the loops.

Values between a converter and a convolution may be bfloat16. They are whole numbers, so bfloat16 represents the levels
and steps of converters of up to 9 bits exactly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ohmnas.analog import cpu_kernels
from ohmnas.analog.cpu_kernels import BLOCK, Array
from ohmnas.analog.noise import Noise

PARALLEL_FROM = 1 << 17
"""With fewer elements, one thread is faster than several."""
WIDTH = 64
"""Short rows are joined into rows of at least this many channels where possible, to fill vector registers."""


_NONE = torch.zeros(1)
"""Placeholder for no noise."""


class TrackedNorm(nn.BatchNorm2d):
    """A batch norm with running statistics, as in all networks of `spaces`."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor


def usable(x: Tensor) -> bool:
    """Return True if the kernels support a layer's input: float32 on a CPU."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def rows_of(x: Tensor) -> Tensor:
    """``(batch, c, h, w)``, dense in channels_last, -> ``(batch * h * w, c)`` as a view; 2-D tensors are unchanged."""
    if x.dim() == 2:
        return x.contiguous()
    return x.permute(0, 2, 3, 1).contiguous().view(-1, x.shape[1])


def from_rows(rows: Tensor, x: Tensor) -> Tensor:
    """Rows -> tensor with the shape of x, dense in channels_last; the inverse of `rows_of`."""
    if x.dim() == 2:
        return rows
    batch, _, height, width = x.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)


def _pick(versions: tuple[Any, Any], elements: int) -> Any:
    return versions[elements >= PARALLEL_FROM and torch.get_num_threads() > 1]


def quantise(x: Tensor, scale: float, limit: float, precision: torch.dtype = torch.float32) -> Tensor:
    """``round(x * scale)``, clipped to +-limit: the DAC's output levels for x. The result is dense (`_dense`)."""
    x = _dense(x.detach())
    out = torch.empty_like(x, dtype=precision)
    _pick(cpu_kernels.QUANTISE, x.numel())(_memory(x), _memory(out), np.float32(scale), np.float32(limit))
    return out


def convert_(y: Tensor, noise: Noise | None, std: float, limit: float) -> None:
    """Compute an ADC's output for y, in ADC steps and in place: add noise, round, clip to +-limit.

    Args:
        y: dense in memory.
        noise: source of the noise; None for no noise.
        std: standard deviation of the noise in ADC steps.
        limit: steps at which the ADC saturates.
    """
    y = y.detach()
    flat = y.as_strided((y.numel(),), (1,))
    noisy = noise is not None and std > 0.0
    for piece, drawn in noise.pieces(flat) if noise is not None and noisy else ((flat, _NONE.expand(flat.shape)),):
        factor = np.float32(std if noisy else 0.0)
        _pick(cpu_kernels.CONVERT, piece.numel())(_array(piece), drawn.numpy(), factor, np.float32(limit))


def mask(grad: Tensor, x: Tensor, factor: float, limit: float) -> Tensor:
    """``grad * factor`` where ``abs(x) < limit``, else 0: backward through `convert_`."""
    return mask_and_sum(grad, x, factor, limit)[0]


def mask_and_sum(grad: Tensor, x: Tensor, factor: float, limit: float) -> tuple[Tensor, float]:
    """`mask`, and the sum of ``grad * x`` where ``abs(x) < limit``: backward through `quantise`."""
    grad, x = _dense(grad.detach()), _dense(x.detach())
    out = torch.empty_like(grad, dtype=torch.float32)
    run = _pick(cpu_kernels.MASK, x.numel())
    return out, run(_memory(grad), _memory(x), np.float32(factor), np.float32(limit), _memory(out))


def columns(
    weight: Tensor, noise: Tensor, starts: npt.NDArray[np.int64], std: float, unit: float
) -> tuple[Tensor, Tensor]:
    """Weights relative to the largest absolute weight of their column part, times `unit`, plus noise.

    Args:
        weight: ``(o, k)``.
        noise: ``(o, k)``, standard normal.
        starts: ``(p + 1,)``: first input of each of the p parts, and k.
        std: standard deviation of the noise in the result.
        unit: value that the largest weight gets in the result, before noise.

    Returns:
        ``(o, k)`` and the largest absolute weight of each column part, ``(o, p)``.
    """
    out, scale = torch.empty_like(weight), torch.empty(weight.shape[0], len(starts) - 1)
    cpu_kernels.COLUMNS[0](
        weight.numpy(), noise.numpy(), starts, np.float32(std), np.float32(unit), out.numpy(), scale.numpy()
    )
    return out, scale


def clip_(weight: Tensor, groups: int, sigma: float) -> None:
    """Clip each group of the weights ``(o, ...)`` at `sigma` times its standard deviation (with n - 1), in place."""
    cpu_kernels.CLIP[0](weight.detach().view(groups, -1).numpy(), np.float32(sigma))


def normalise(
    rows: Tensor, gain: Tensor, norm: TrackedNorm, floor: float, branches: int = 1
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Batch norm of ``rows * gain`` with batch statistics, then the maximum with `floor`; updates running statistics.

    Several branches with adjacent channels are summed; the floor must then be minus infinity.

    Args:
        rows: ``(p, c)``.
        gain: ``(c,)``, above 0.
        norm: batch norm with weight, bias and eps; its running statistics are updated as in torch.
        floor: smallest result: 0 for a ReLU, minus infinity for no floor.
        branches: b, a divisor of c.

    Returns:
        The result ``(p, c / b)``, and the values that `normalise_backward` needs: scale and shift per channel of the
        joined rows, and ``(2, c)``: mean of the rows, and gain divided by the standard deviation of ``rows * gain``.
    """
    wide = _widen(rows)
    out, coefficients = torch.empty(len(wide), wide.shape[1] // branches), torch.empty(2, wide.shape[1])
    statistics = torch.empty(2, rows.shape[1], dtype=torch.float64)
    norm.num_batches_tracked += 1
    scale, shift = coefficients
    _pick(cpu_kernels.NORMALISE, rows.numel())(
        _array(wide),
        gain.numpy(),
        norm.weight.detach().numpy(),
        norm.bias.detach().numpy(),
        norm.eps,
        np.float32(floor),
        branches,
        max(1, BLOCK // wide.shape[1]),
        out.numpy(),
        scale.numpy(),
        shift.numpy(),
        statistics.numpy(),
        norm.running_mean.numpy(),
        norm.running_var.numpy(),
        norm.momentum if norm.momentum is not None else 1.0 / int(norm.num_batches_tracked),
    )
    return out.view(len(rows), -1), (scale, shift, statistics)


def normalise_backward(
    grad: Tensor,
    rows: Tensor,
    saved: tuple[Tensor, Tensor, Tensor],
    floor: float,
    clip: float,
    precision: torch.dtype = torch.float32,
    branches: int = 1,
) -> tuple[Tensor, Tensor]:
    """Backward through `normalise`.

    Args:
        grad: ``(p, c / b)``: gradient of the first result of `normalise`.
        rows: the rows given to `normalise`.
        saved: second result of `normalise`.
        floor: the floor given to `normalise`.
        clip: the gradient is 0 where the absolute value of `rows` is at least `clip`.
        precision: number format of the gradients of the rows.
        branches: b, as in `normalise`.

    Returns:
        The gradients of the rows, ``(p, c)``, and of weight and bias, ``(2, c)``.
    """
    wide = _widen(rows)
    out, sums = torch.empty_like(wide, dtype=precision), torch.empty(2, rows.shape[1])
    scale, shift, statistics = (t.numpy() for t in saved)
    _pick(cpu_kernels.NORMALISE_BACKWARD, rows.numel())(
        grad.view(len(wide), -1).numpy(),
        _array(wide),
        scale,
        shift,
        statistics,
        np.float32(floor),
        branches,
        np.float32(clip),
        max(1, BLOCK // wide.shape[1]),
        _array(out),
        sums.numpy(),
    )
    return out.view(rows.shape), sums


def affine(rows: Tensor, scale: Tensor, shift: Tensor, floor: float, branches: int = 1) -> Tensor:
    """``max(rows * scale + shift, floor)``; `floor` and `branches` as in `normalise`.

    The shape of `rows` is ``(p, c)``; the shape of `scale` and `shift` is ``(c,)``.
    """
    wide = _widen(rows)
    out = torch.empty(len(wide), wide.shape[1] // branches)
    height = max(1, BLOCK // wide.shape[1])
    coefficients = scale.detach().numpy(), shift.detach().numpy()
    _pick(cpu_kernels.AFFINE, rows.numel())(
        _array(wide), *coefficients, np.float32(floor), branches, height, out.numpy()
    )
    return out.view(len(rows), -1)


def root_mean_square(x: Tensor) -> float:
    """Root of the mean square of all elements."""
    flat = _memory(_dense(x.detach()))
    return math.sqrt(float(np.dot(flat, flat)) / flat.size)


def _dense(x: Tensor) -> Tensor:
    """Return the tensor, or a dense copy: in channels_last if it has four axes, else contiguous."""
    layout = torch.channels_last if x.dim() == 4 else torch.contiguous_format
    return x if x.is_contiguous(memory_format=layout) else x.contiguous(memory_format=layout)


def _memory(x: Tensor) -> Array:
    """Memory of a dense tensor as a flat array, in the kernels' format."""
    return _array(x.as_strided((x.numel(),), (1,)))


def _array(x: Tensor) -> Array:
    """The tensor's memory in the format of the kernels."""
    x = x.detach()
    array: Array = (x.view(torch.uint16) if x.dtype == torch.bfloat16 else x).numpy()
    return array


def _widen(rows: Tensor) -> Tensor:
    """``(p, c)`` -> ``(p / j, j * c)``: join j rows to make the inner loops longer."""
    positions, channels = rows.shape
    joined = 1
    while joined * channels < WIDTH and positions % (2 * joined) == 0:
        joined *= 2
    return rows.detach().view(positions // joined, joined * channels)
