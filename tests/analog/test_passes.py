"""Every compiled pass gives on many threads what it gives on one, and what plain Python gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.analog import passes

GENERATOR = np.random.default_rng(0)
F32 = np.float32


def _array(*shape: int) -> npt.NDArray[np.float32]:
    return GENERATOR.normal(size=shape).astype(np.float32)


CALLS: dict[str, tuple[tuple[Any, ...], dict[int, tuple[int, ...]]]] = {
    "QUANTISE": ((_array(9000), F32(3), F32(4)), {1: (9000,)}),
    "MASK": ((_array(9000), _array(9000), F32(2), F32(1)), {4: (9000,)}),
    "AFFINE": ((_array(300, 10), _array(5), _array(5), F32(0), 7), {5: (300, 10)}),
}
"""Pass -> its inputs, and position and shape of what it writes."""


@pytest.mark.parametrize("name", CALLS)
def test_compiled_on_one_and_many_threads_and_not_at_all(name: str) -> None:
    inputs, outputs = CALLS[name]
    results = []
    one, many = getattr(passes, name)
    for run in (one, many, one.py_func):
        arguments = list(inputs)
        for position, shape in outputs.items():
            arguments.insert(position, np.zeros(shape, np.float32))
        run(*arguments)
        results.append([arguments[position] for position in outputs])
    for result in results[1:]:
        for found, expected in zip(result, results[0], strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
