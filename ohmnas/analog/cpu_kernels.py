"""Compiled CPU kernels: plain loops over NumPy arrays. The module `kernels` applies them to tensors.

Rows are ``(p, c)``: p positions with c values each. Short rows may be joined, so c is a multiple of the number of
channels. Loops run over slices of blocks and start at 0; otherwise, the compiler checks indices and does not
vectorise. Each kernel is compiled twice, for one thread and for many (`prange` runs over blocks).

An array is float32, or uint16 with the bits of bfloat16 (the upper half of a float32), because NumPy has no bfloat16.
`read` and `written` handle both types. Whole numbers up to 256 are exact in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange, types
from numba.extending import overload

Array = npt.NDArray[np.float32] | npt.NDArray[np.uint16]

BLOCK = 4096
"""Approximate number of elements per block; a block of x and a block of y fit into the first-level cache."""
SMALLEST_SCALE = 1e-7
"""Smallest scale of a column, so that a column of zeros causes no division by 0."""


def read(x: Any) -> Any:
    """Convert an element of an array to float32."""
    return np.uint32(np.uint32(x) << np.uint32(16)).view(np.float32) if isinstance(x, np.uint16) else x


def written(value: Any, array: Any) -> Any:
    """Round a float32 to the array's type; ties go to even."""
    if array.dtype != np.uint16:
        return value
    bits = int(np.float32(value).view(np.uint32))
    return np.uint16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF)


@overload(read, inline="always")  # type: ignore[untyped-decorator]
def _read(x: Any) -> Any:
    def as_is(x: Any) -> Any:
        return x

    def widened(x: Any) -> Any:
        return np.uint32(np.uint32(x) << np.uint32(16)).view(np.float32)

    return widened if isinstance(x, types.Integer) else as_is


@overload(written, inline="always")  # type: ignore[untyped-decorator]
def _written(value: Any, array: Any) -> Any:  # noqa: ARG001 - numba requires these names
    def as_is(value: Any, array: Any) -> Any:  # noqa: ARG001
        return value

    def rounded(value: Any, array: Any) -> Any:  # noqa: ARG001
        bits = np.float32(value).view(np.uint32)
        even = (bits >> np.uint32(16)) & np.uint32(1)
        return np.uint16((bits + np.uint32(0x7FFF) + even) >> np.uint32(16))

    return rounded if isinstance(array.dtype, types.Integer) else as_is


def quantise(x: Array, out: Array, scale: np.float32, limit: np.float32) -> None:
    """Write round(x * scale), clipped to +-limit, to `out`; all arrays are flat."""
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        source, result = x[block * BLOCK : (block + 1) * BLOCK], out[block * BLOCK : (block + 1) * BLOCK]
        for i in range(len(source)):
            result[i] = written(min(max(np.rint(source[i] * scale), -limit), limit), result)


def convert(y: Array, noise: Array, std: np.float32, limit: np.float32) -> None:
    """Replace y by round(y + std * noise), clipped to +-limit; all arrays are flat."""
    for block in prange((len(y) + BLOCK - 1) // BLOCK):
        result, drawn = y[block * BLOCK : (block + 1) * BLOCK], noise[block * BLOCK : (block + 1) * BLOCK]
        for i in range(len(result)):
            value = np.rint(read(result[i]) + std * drawn[i])
            result[i] = written(min(max(value, -limit), limit), result)


def mask(grad: Array, x: Array, factor: np.float32, limit: np.float32, out: Array) -> float:
    """Write grad * factor where abs(x) < limit, else 0, to `out`; return the sum of grad * x there. Arrays are flat."""
    blocks = (len(x) + BLOCK - 1) // BLOCK
    sums = np.zeros(blocks, np.float32)
    for block in prange(blocks):
        source, result = x[block * BLOCK : (block + 1) * BLOCK], out[block * BLOCK : (block + 1) * BLOCK]
        incoming = grad[block * BLOCK : (block + 1) * BLOCK]
        total = np.float32(0.0)
        for i in range(len(source)):
            value, incident = read(source[i]), read(incoming[i])
            passed = incident if abs(value) < limit else np.float32(0.0)
            result[i] = passed * factor
            total += passed * value
        sums[block] = total
    whole = 0.0
    for block in range(blocks):
        whole += sums[block]
    return whole


def columns(
    weight: Array, noise: Array, starts: Any, std: np.float32, unit: np.float32, out: Array, scale: Array
) -> None:
    """Write weight * unit / scale + std * noise to `out`; write the largest weight of each column part to `scale`.

    The largest weight is the largest absolute value. The shape of `weight`, `noise` and `out` is ``(o, k)``; the shape
    of `scale` is ``(o, p)``.
    """
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


def clip(weight: Array, sigma: np.float32) -> None:
    """Clip each row at `sigma` times its standard deviation (with n - 1) on both sides of 0, in place."""
    for g in range(len(weight)):
        row = weight[g]
        total, square = 0.0, 0.0
        for i in range(len(row)):
            total += row[i]
            square += row[i] * row[i]
        mean = total / len(row)
        variance = max(square - mean * total, 0.0) / max(len(row) - 1, 1)
        limit = np.float32(np.sqrt(variance)) * sigma
        for i in range(len(row)):
            row[i] = min(max(row[i], -limit), limit)


@njit(inline="always")  # type: ignore[untyped-decorator]
def fold(values: Array, width: int, sums: Array) -> None:
    """Sum the branches of each position, `width` channels each, by repeated halving; overwrites `values`."""
    size = width * (len(values) // len(sums))
    for position in range(len(sums) // width):
        left = size
        while left > width:
            half = width * (left // width // 2)
            first = values[position * size : position * size + half]
            second = values[position * size + left - half : position * size + left]
            for i in range(len(first)):
                first[i] += second[i]
            left -= half
        first, result = values[position * size : position * size + width], sums[position * width :]
        for i in range(len(first)):
            result[i] = first[i]


@njit(inline="always")  # type: ignore[untyped-decorator]
def unfold(sums: Array, width: int, values: Array) -> None:
    """Copy the gradient of each position's sum to all its branches, by doubling."""
    size = width * (len(values) // len(sums))
    for position in range(len(sums) // width):
        source, result = sums[position * width : (position + 1) * width], values[position * size :]
        for i in range(len(source)):
            result[i] = source[i]
        done = width
        while done < size:
            more = min(done, size - done)
            copy = result[done : done + more]
            for i in range(len(copy)):
                copy[i] = result[i]
            done += more


def normalise(
    rows: Array,
    gain: Array,
    weight: Array,
    bias: Array,
    eps: float,
    floor: np.float32,
    branches: int,
    height: int,
    out: Array,
    scale: Array,
    shift: Array,
    statistics: npt.NDArray[np.float64],
    running_mean: Array,
    running_var: Array,
    momentum: float,
) -> None:
    """Batch norm of rows * gain: moments, running statistics, then `_affine`."""
    positions, channels = rows.shape
    blocks = (positions + height - 1) // height
    sums = np.zeros((blocks, 2, channels), np.float32)
    for block in prange(blocks):
        total, square = sums[block, 0], sums[block, 1]
        part = rows[block * height : (block + 1) * height]
        for p in range(len(part)):
            row = part[p]
            for c in range(len(row)):
                value = read(row[c])
                total[c] += value
                square[c] += value * value
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
        statistics[0, c], statistics[1, c] = mean, inverse
        running_mean[c] += momentum * (mean * gain[c] - running_mean[c])
        unbiased = variance * gain[c] * gain[c] * (positions * joined / max(positions * joined - 1, 1))
        running_var[c] += momentum * (unbiased - running_var[c])
        for j in range(joined):
            scale[j * actual + c] = weight[c] * inverse
            shift[j * actual + c] = bias[c] - mean * weight[c] * inverse
    for block in prange(blocks):
        part, result = rows[block * height : (block + 1) * height], out[block * height : (block + 1) * height]
        _affine(part, scale, shift, floor, branches, actual // branches, result)


@njit(inline="always")  # type: ignore[untyped-decorator]
def _affine(rows: Array, scale: Array, shift: Array, floor: np.float32, branches: int, width: int, out: Array) -> None:
    """Write max(rows * scale + shift, floor) to `out`; sum several branches of `width` channels, without the floor."""
    if branches == 1:
        for p in range(len(rows)):
            row, to = rows[p], out[p]
            for c in range(len(row)):
                to[c] = max(read(row[c]) * scale[c] + shift[c], floor)
    else:
        values = np.empty(rows.shape[1], np.float32)
        for p in range(len(rows)):
            row = rows[p]
            for c in range(len(row)):
                values[c] = read(row[c]) * scale[c] + shift[c]
            fold(values, width, out[p])


@njit(inline="always")  # type: ignore[untyped-decorator]
def _sum_up(
    row: Array, grad: Array, scale: Array, shift: Array, floor: np.float32, total: Array, product: Array
) -> None:
    """Add the gradient above the floor to `total`, and its product with the row to `product`, by channel."""
    for c in range(len(row)):
        value, incident = read(row[c]), grad[c]
        passed = incident if value * scale[c] + shift[c] > floor else np.float32(0.0)
        total[c] += passed
        product[c] += passed * value


@njit(inline="always")  # type: ignore[untyped-decorator]
def _flow(
    row: Array,
    grad: Array,
    scale: Array,
    shift: Array,
    slope: Array,
    offset: Array,
    floor: np.float32,
    clip: np.float32,
    to: Array,
) -> None:
    """Write the gradient of a row to `to`; it is 0 where the row is clipped."""
    for c in range(len(row)):
        value, incident = read(row[c]), grad[c]
        passed = incident if value * scale[c] + shift[c] > floor else np.float32(0.0)
        flow = passed * scale[c] + value * slope[c] + offset[c]
        to[c] = written(flow if abs(value) < clip else np.float32(0.0), to)


def normalise_backward(
    grad: Array,
    rows: Array,
    scale: Array,
    shift: Array,
    statistics: npt.NDArray[np.float64],
    floor: np.float32,
    branches: int,
    clip: np.float32,
    height: int,
    out: Array,
    sums: Array,
) -> None:
    """Backward through `normalise`; writes the gradients of weight and bias to `sums`, ``(2, c)``."""
    positions, channels = rows.shape
    blocks = (positions + height - 1) // height
    partial = np.zeros((blocks, 2, channels), np.float32)
    width = statistics.shape[1] // branches
    for block in prange(blocks):
        total, product = partial[block, 0], partial[block, 1]
        part, incoming = rows[block * height : (block + 1) * height], grad[block * height : (block + 1) * height]
        if branches == 1:
            for p in range(len(part)):
                _sum_up(part[p], incoming[p], scale, shift, floor, total, product)
        else:
            spread = np.empty(channels, np.float32)
            for p in range(len(part)):
                unfold(incoming[p], width, spread)
                _sum_up(part[p], spread, scale, shift, floor, total, product)
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
        if branches == 1:
            for p in range(len(part)):
                _flow(part[p], incoming[p], scale, shift, slope, offset, floor, clip, result[p])
        else:
            spread = np.empty(channels, np.float32)
            for p in range(len(part)):
                unfold(incoming[p], width, spread)
                _flow(part[p], spread, scale, shift, slope, offset, floor, clip, result[p])


def affine(rows: Array, scale: Array, shift: Array, floor: np.float32, branches: int, height: int, out: Array) -> None:
    """Like `_affine`, but scale and shift have one value per channel, even if rows are joined."""
    positions, channels = rows.shape
    joined = channels // len(scale)
    wide_scale, wide_shift = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for j in range(joined):
        for c in range(len(scale)):
            wide_scale[j * len(scale) + c], wide_shift[j * len(scale) + c] = scale[c], shift[c]
    for block in prange((positions + height - 1) // height):
        part, result = rows[block * height : (block + 1) * height], out[block * height : (block + 1) * height]
        _affine(part, wide_scale, wide_shift, floor, branches, len(scale) // branches, result)


def _compile(function: Any) -> tuple[Any, Any]:
    """Compile a kernel for one thread and for many. The code is cached on disk, so only the first process waits."""
    options = {"nogil": True, "fastmath": {"reassoc", "contract", "nsz"}, "cache": True, "error_model": "numpy"}
    return njit(**options)(function), njit(parallel=True, **options)(function)


QUANTISE = _compile(quantise)
CONVERT = _compile(convert)
MASK = _compile(mask)
COLUMNS = _compile(columns)
CLIP = _compile(clip)
NORMALISE = _compile(normalise)
NORMALISE_BACKWARD = _compile(normalise_backward)
AFFINE = _compile(affine)
