"""Single passes over activations that torch would make in many: compiled for CPUs with numba.

An activation is seen as rows, ``(p, c)``: p positions (images x pixels) of c channels, dense in channels_last. On a CPU
the time of everything around a convolution is the number of passes over memory; here rounding, noise, clipping, batch
norm and ReLU are two passes forward and two backward instead of some twenty. `layers` and `norm` have the same in plain
torch for other devices; tests hold both to each other.

Compiled code is kept on disk (numba's cache), so that only the first process ever pays for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import njit, prange
from torch import Tensor

from ohmnas.analog.mapping import SMALLEST_SCALE
from ohmnas.analog.noise import NoisePool

Array = npt.NDArray[np.float32]

BLOCK = 4096
"""Elements that one thread takes at a time, roughly; a block of x and y stays in the first-level cache."""
PARALLEL_FROM = 1 << 17
"""Below so many elements one thread is done before the others have woken."""
WIDTH = 64
"""Short rows are joined to rows of at least so many channels, so that inner loops fill vector registers."""


def usable(x: Tensor) -> bool:
    """Whether the compiled passes can take a tensor: float32 on a CPU."""
    return x.device.type == "cpu" and x.dtype == torch.float32


def rows_of(x: Tensor) -> Tensor:
    """``(batch, c, h, w)`` -> ``(batch * h * w, c)``, a view if x is dense in channels_last; ``(batch, c)`` as it is."""
    if x.dim() == 2:
        return x.contiguous()
    return x.permute(0, 2, 3, 1).contiguous().view(-1, x.shape[1])


def like(rows: Tensor, x: Tensor) -> Tensor:
    """Rows -> a tensor of the shape of x, dense in channels_last; the inverse of `rows_of`."""
    if x.dim() == 2:
        return rows
    batch, channels, height, width = x.shape
    return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _compile(function: Any) -> tuple[Any, Any]:
    """The pass on one thread and on all of torch's."""
    options = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz"}, "cache": True, "error_model": "numpy"}
    return njit(**options)(function), njit(parallel=True, **options)(function)


def _pick(passes: tuple[Any, Any], elements: int) -> Any:
    return passes[elements >= PARALLEL_FROM and torch.get_num_threads() > 1]


def _quantise(x: Array, out: Array, scale: np.float32, limit: np.float32) -> None:
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        source, result = x[block * BLOCK : (block + 1) * BLOCK], out[block * BLOCK : (block + 1) * BLOCK]
        for i in range(len(source)):
            result[i] = min(max(np.rint(source[i] * scale), -limit), limit)


def _convert(y: Array, noise: Array, std: np.float32, limit: np.float32) -> None:
    for block in prange((len(y) + BLOCK - 1) // BLOCK):
        result, drawn = y[block * BLOCK : (block + 1) * BLOCK], noise[block * BLOCK : (block + 1) * BLOCK]
        for i in range(len(result)):
            result[i] = min(max(np.rint(result[i] + std * drawn[i]), -limit), limit)


def _mask(grad: Array, x: Array, factor: np.float32, limit: np.float32, out: Array) -> None:
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        source, result = x[block * BLOCK : (block + 1) * BLOCK], out[block * BLOCK : (block + 1) * BLOCK]
        incoming = grad[block * BLOCK : (block + 1) * BLOCK]
        for i in range(len(source)):
            g = incoming[i] * factor
            result[i] = g if abs(source[i]) < limit else np.float32(0.0)


def _columns(weight: Array, noise: Array, starts: Any, std: np.float32, unit: np.float32, out: Array, scale: Array) -> None:
    for o in range(len(weight)):
        for part in range(len(starts) - 1):
            begin, end = starts[part], starts[part + 1]
            source, result, drawn = weight[o, begin:end], out[o, begin:end], noise[o, begin:end]
            largest = np.float32(SMALLEST_SCALE)
            for i in range(len(source)):
                largest = max(largest, abs(source[i]))
            scale[o, part] = largest
            factor = unit / largest
            for i in range(len(source)):
                result[i] = source[i] * factor + std * drawn[i]


def _normalise(
    rows: Array,
    gain: Array,
    weight: Array,
    bias: Array,
    eps: float,
    floor: np.float32,
    height: int,
    out: Array,
    scale: Array,
    shift: Array,
    statistics: npt.NDArray[np.float64],
) -> None:
    positions, channels = rows.shape
    blocks = (positions + height - 1) // height
    sums = np.zeros((blocks, 2, channels), np.float32)
    for block in prange(blocks):
        total, square = sums[block, 0], sums[block, 1]
        part = rows[block * height : (block + 1) * height]
        for p in range(len(part)):
            row = part[p]
            for c in range(len(row)):
                total[c] += row[c]
                square[c] += row[c] * row[c]
    actual = len(gain)
    joined = channels // actual
    for c in range(actual):
        first, second = 0.0, 0.0
        for block in range(blocks):
            for j in range(joined):
                first += sums[block, 0, j * actual + c]
                second += sums[block, 1, j * actual + c]
        mean = first / (positions * joined)
        variance = max(second / (positions * joined) - mean * mean, 0.0)
        inverse = gain[c] / np.sqrt(variance * gain[c] * gain[c] + eps)
        statistics[0, c], statistics[1, c], statistics[2, c] = mean, inverse, variance
        for j in range(joined):
            scale[j * actual + c] = weight[c] * inverse
            shift[j * actual + c] = bias[c] - mean * weight[c] * inverse
    for block in prange(blocks):
        part, result = rows[block * height : (block + 1) * height], out[block * height : (block + 1) * height]
        for p in range(len(part)):
            row, to = part[p], result[p]
            for c in range(len(row)):
                to[c] = max(row[c] * scale[c] + shift[c], floor)


def _normalise_backward(
    grad: Array,
    rows: Array,
    scale: Array,
    shift: Array,
    statistics: npt.NDArray[np.float64],
    floor: np.float32,
    clip: np.float32,
    height: int,
    out: Array,
    sums: Array,
) -> None:
    positions, channels = rows.shape
    blocks = (positions + height - 1) // height
    partial = np.zeros((blocks, 2, channels), np.float32)
    for block in prange(blocks):
        total, product = partial[block, 0], partial[block, 1]
        part, incoming = rows[block * height : (block + 1) * height], grad[block * height : (block + 1) * height]
        for p in range(len(part)):
            row, g = part[p], incoming[p]
            for c in range(len(row)):
                value = g[c]
                passed = value if row[c] * scale[c] + shift[c] > floor else np.float32(0.0)
                total[c] += passed
                product[c] += passed * row[c]
    actual = statistics.shape[1]
    joined = channels // actual
    slope, offset = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for c in range(actual):
        first, second = 0.0, 0.0
        for block in range(blocks):
            for j in range(joined):
                first += partial[block, 0, j * actual + c]
                second += partial[block, 1, j * actual + c]
        mean, inverse = statistics[0, c], statistics[1, c]
        along = (second - first * mean) * inverse
        sums[0, c], sums[1, c] = along, first
        steep = -scale[c] * inverse * along / (positions * joined)
        for j in range(joined):
            slope[j * actual + c] = steep
            offset[j * actual + c] = -scale[c] * first / (positions * joined) - steep * mean
    for block in prange(blocks):
        part, result = rows[block * height : (block + 1) * height], out[block * height : (block + 1) * height]
        incoming = grad[block * height : (block + 1) * height]
        for p in range(len(part)):
            row, g, to = part[p], incoming[p], result[p]
            for c in range(len(row)):
                value = g[c]
                passed = value if row[c] * scale[c] + shift[c] > floor else np.float32(0.0)
                value = passed * scale[c] + row[c] * slope[c] + offset[c]
                to[c] = value if abs(row[c]) < clip else np.float32(0.0)


def _affine(rows: Array, scale: Array, shift: Array, floor: np.float32, height: int, out: Array) -> None:
    positions, channels = rows.shape
    joined = channels // len(scale)
    wide_scale, wide_shift = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for j in range(joined):
        for c in range(len(scale)):
            wide_scale[j * len(scale) + c], wide_shift[j * len(scale) + c] = scale[c], shift[c]
    for block in prange((positions + height - 1) // height):
        part, result = rows[block * height : (block + 1) * height], out[block * height : (block + 1) * height]
        for p in range(len(part)):
            row, to = part[p], result[p]
            for c in range(len(row)):
                to[c] = max(row[c] * wide_scale[c] + wide_shift[c], floor)


_QUANTISE, _CONVERT, _MASK, _COLUMNS = _compile(_quantise), _compile(_convert), _compile(_mask), _compile(_columns)
_NORMALISE, _NORMALISE_BACKWARD, _AFFINE = _compile(_normalise), _compile(_normalise_backward), _compile(_affine)


def quantise(x: Tensor, scale: float, limit: float) -> Tensor:
    """``round(x * scale)``, clipped to +-limit: what a DAC makes of x, in its levels; dense in channels_last."""
    rows = rows_of(x.detach())
    out = torch.empty_like(rows)
    _pick(_QUANTISE, x.numel())(_flat(rows), _flat(out), np.float32(scale), np.float32(limit))
    return like(out, x)


def convert_(y: Tensor, noise: NoisePool | None, std: float, limit: float) -> None:
    """Add noise of a standard deviation, round, clip to +-limit: what an ADC makes of y, in its steps; in place.

    Args:
        y: dense in memory.
        noise: where the noise comes from; None is no noise.
        std: standard deviation of the noise in ADC steps.
        limit: steps at which the ADC saturates.
    """
    rows = rows_of(y.detach()).view(-1)
    pieces = noise.pieces(rows) if noise is not None and std else ((rows, rows),)
    for piece, drawn in pieces:
        factor = std if drawn is not rows else 0.0
        _pick(_CONVERT, len(piece))(piece.numpy(), drawn.numpy(), np.float32(factor), np.float32(limit))


def mask(grad: Tensor, x: Tensor, factor: float, limit: float) -> Tensor:
    """``grad * factor`` where x lies inside of +-limit, 0 elsewhere: backward through `quantise` and `convert_`."""
    incoming = rows_of(grad)
    out = torch.empty_like(incoming)
    passes = _pick(_MASK, x.numel())
    passes(_flat(incoming), _flat(rows_of(x)), np.float32(factor), np.float32(limit), _flat(out))
    return like(out, grad)


def columns(weight: Tensor, noise: Tensor, starts: npt.NDArray[np.int64], std: float, unit: float) -> tuple[Tensor, Tensor]:
    """Weights in units of their column's largest, times `unit`, plus noise.

    Args:
        weight: ``(o, k)``.
        noise: ``(o, k)``, standard normal.
        starts: ``(p + 1,)``, where the p parts of the k inputs begin, and k.
        std: standard deviation of the noise in the result.
        unit: factor.

    Returns:
        ``(o, k)`` and the largest absolute weight of each column part, ``(o, p)``.
    """
    out, scale = torch.empty_like(weight), torch.empty(len(weight), len(starts) - 1)
    _COLUMNS[0](
        weight.numpy(), noise.numpy(), starts, np.float32(std), np.float32(unit), out.numpy(), scale.numpy()
    )
    return out, scale


def normalise(
    rows: Tensor, gain: Tensor, weight: Tensor, bias: Tensor, eps: float, floor: float
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Batch norm of ``rows * gain`` by the batch's own statistics, at least `floor`.

    Args:
        rows: ``(p, c)``.
        gain: ``(c,)``, above 0.
        weight: ``(c,)``.
        bias: ``(c,)``.
        eps: added to the variance of ``rows * gain``.
        floor: 0 is ReLU, minus infinity is none.

    Returns:
        ``(p, c)``, and what `normalise_backward` needs: scale and shift by channel of the joined rows, and ``(3, c)``:
        mean of the rows, inverse standard deviation, variance of the rows.
    """
    wide = _widen(rows)
    out, scale, statistics = torch.empty_like(wide), torch.empty(2, wide.shape[1]), np.empty((3, rows.shape[1]))
    coefficients = scale.numpy()
    _pick(_NORMALISE, rows.numel())(
        wide.numpy(),
        gain.numpy(),
        weight.detach().numpy(),
        bias.detach().numpy(),
        eps,
        np.float32(floor),
        max(1, BLOCK // wide.shape[1]),
        out.numpy(),
        coefficients[0],
        coefficients[1],
        statistics,
    )
    return out.view_as(rows), (scale[0], scale[1], torch.from_numpy(statistics))


def normalise_backward(
    grad: Tensor, rows: Tensor, saved: tuple[Tensor, Tensor, Tensor], floor: float, clip: float
) -> tuple[Tensor, Tensor]:
    """Backward through `normalise`.

    Args:
        grad: ``(p, c)``, of its result.
        rows: its input.
        saved: what it returned beside the result.
        floor: as given to it.
        clip: the gradient is 0 where the rows have reached this.

    Returns:
        The gradients of the rows, ``(p, c)``, and of weight and bias, ``(2, c)``.
    """
    wide = _widen(rows)
    out, sums = torch.empty_like(wide), torch.empty(2, rows.shape[1])
    scale, shift, statistics = (t.numpy() for t in saved)
    _pick(_NORMALISE_BACKWARD, rows.numel())(
        grad.view_as(wide).numpy(),
        wide.numpy(),
        scale,
        shift,
        statistics,
        np.float32(floor),
        np.float32(clip),
        max(1, BLOCK // wide.shape[1]),
        out.numpy(),
        sums.numpy(),
    )
    return out.view_as(rows), sums


def affine(rows: Tensor, scale: Tensor, shift: Tensor, floor: float) -> Tensor:
    """``max(rows * scale + shift, floor)`` by channel: ``(p, c)`` with ``(c,)``; a floor of 0 is ReLU."""
    wide = _widen(rows)
    out = torch.empty_like(wide)
    height = max(1, BLOCK // wide.shape[1])
    coefficients = scale.detach().numpy(), shift.detach().numpy()
    _pick(_AFFINE, rows.numel())(wide.numpy(), *coefficients, np.float32(floor), height, out.numpy())
    return out.view_as(rows)


def _flat(x: Tensor) -> Array:
    return x.detach().view(-1).numpy()


def _widen(rows: Tensor) -> Tensor:
    """``(p, c)`` -> ``(p / j, j * c)``: so many rows side by side that inner loops are long."""
    joined = 1
    while joined * rows.shape[1] < WIDTH and len(rows) % (2 * joined) == 0:
        joined *= 2
    return rows.detach().view(len(rows) // joined, -1)
