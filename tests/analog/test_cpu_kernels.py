"""Every compiled pass gives on many threads what it gives on one, and what plain Python gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from ohmnas.analog import cpu_kernels

GENERATOR = np.random.default_rng(0)
F32 = np.float32


def _array(*shape: int) -> npt.NDArray[np.float32]:
    return GENERATOR.normal(size=shape).astype(np.float32)


def _bits(*shape: int) -> npt.NDArray[np.uint16]:
    """Normal numbers in bfloat16."""
    return torch.from_numpy(_array(*shape)).bfloat16().view(torch.uint16).numpy()


FORMATS = {"float32": (_array, np.float32), "bfloat16": (_bits, np.uint16)}
"""Name -> what makes an array of that format, and its type in memory."""
CALLS: dict[str, tuple[str, tuple[Any, ...], int, bool, tuple[int, ...]]] = {
    "quantise": ("QUANTISE", (_array(9000), F32(3), F32(4)), 1, True, (9000,)),
    "mask": ("MASK", (_array(9000), _array(9000), F32(2), F32(1)), 4, False, (9000,)),
    "affine": ("AFFINE", (_array(300, 10), _array(5), _array(5), F32(0), 1, 7), 6, False, (300, 10)),
    "branches": ("AFFINE", (_array(300, 24), _array(12), _array(12), F32(-math.inf), 3, 7), 6, False, (300, 8)),
}
"""A pass, its inputs, of which the first is the array, where it writes, whether that may be bfloat16, and its shape."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CALLS)
def test_compiled_on_one_and_many_threads_and_not_at_all(name: str, form: str) -> None:
    compiled, inputs, position, may_write, shape = CALLS[name]
    make, kind = FORMATS[form]
    results = []
    one, many = getattr(cpu_kernels, compiled)
    first = inputs[0] if may_write else make(*inputs[0].shape)
    for run in (one, many, one.py_func):
        arguments = [first, *inputs[1:]]
        arguments.insert(position, np.zeros(shape, kind if may_write else np.float32))
        run(*arguments)
        results.append(arguments[position])
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, -1.0, 127.0, 256.0, 257.0, 259.0, 1e-3, 3.14159, -3e38, math.inf, math.nan])
def test_bfloat16_is_torchs(value: float) -> None:
    """Also between two neighbours, which is where 257 and 259 lie."""
    bits = cpu_kernels.written(F32(value), np.zeros(1, np.uint16))
    expected = torch.tensor(value).bfloat16().float().numpy()
    np.testing.assert_array_equal(cpu_kernels.read(bits), expected)


@pytest.mark.parametrize("branches", range(1, 13))
@pytest.mark.parametrize("width", [1, 3, 8])
@pytest.mark.parametrize("joined", [1, 2, 4])
def test_branches_fold_to_their_sum_and_unfold_to_copies(branches: int, width: int, joined: int) -> None:
    values, sums = _array(joined * branches * width), np.empty(joined * width, np.float32)
    spread = np.empty_like(values)
    expected = values.reshape(joined, branches, width).sum(axis=1)
    cpu_kernels.unfold.py_func(expected.ravel(), width, spread)
    cpu_kernels.fold.py_func(values, width, sums)
    np.testing.assert_allclose(sums, expected.ravel(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(spread.reshape(joined, branches, width), np.repeat(expected[:, None], branches, 1))
