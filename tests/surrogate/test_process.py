"""The predicting half of Gaussian processes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.process import GaussianProcess, far, matern


def process(**changes: Any) -> GaussianProcess:
    """Two rows of three features, of which the process sees two, and one label."""
    parts: dict[str, Any] = {
        "columns": np.array([0, 2], dtype=np.int32),
        "centre": np.zeros(2, dtype=np.float32),
        "scale": np.ones(2, dtype=np.float32),
        "inputs": np.array([[0.0, 0.0], [1.0, 2.0]], dtype=np.float32),
        "weights": np.array([[1.0], [-1.0]], dtype=np.float32),
        "levels": np.array([0.5]),
    }
    return GaussianProcess(**{**parts, **changes})


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_the_kernel_is_its_formula(n: int, m: int, f: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(n, f)).astype(np.float32), rng.normal(size=(m, f)).astype(np.float32)
    r = np.sqrt(3.0 * np.square(one[:, None].astype(np.float64) - other[None]).sum(axis=2))
    assert_allclose(matern(one, far(other)), (1.0 + r) * np.exp(-r), atol=2e-3)


def test_a_mean_is_the_level_and_the_weighted_kernels() -> None:
    r = np.sqrt(3.0 * 5.0)
    between = (1.0 + r) * np.exp(-r)
    rows = np.array([[0.0, 9.0, 0.0], [1.0, -9.0, 2.0], [1e6, 0.0, 1e6]], dtype=np.float32)
    assert_allclose(process().predict(rows)[:, 0], [0.5 + 1.0 - between, 0.5 + between - 1.0, 0.5], atol=1e-5)
    assert process().predict(rows[:0]).shape == (0, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": np.empty((0, 2), dtype=np.float32), "weights": np.empty((0, 1), dtype=np.float32)},
        {"centre": np.zeros(3, dtype=np.float32)},
        {"weights": np.ones((1, 1), dtype=np.float32)},
        {"levels": np.zeros(2)},
        {"columns": np.array([2, 0], dtype=np.int32)},
        {"columns": np.array([-1, 0], dtype=np.int32)},
        {"scale": np.array([1.0, 0.0], dtype=np.float32)},
        {"scale": np.array([1.0, 1e9], dtype=np.float32)},
        {"centre": np.array([np.nan, 0.0], dtype=np.float32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_arrays_that_do_not_form_a_process_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="Gaussian process"):
        process(**changes)
