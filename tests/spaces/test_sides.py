from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.spaces.sides import inside, sides


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 8))
def test_each_stage_has_the_sides_that_a_stride_of_two_leaves(height: int, width: int, stages: int) -> None:
    found = sides(height, width, stages)
    assert found[0] == (height, width)
    for before, behind in pairwise(found):
        assert behind == tuple((side + 1) // 2 for side in before)
    assert len(found) == stages


@given(st.sampled_from([1, 3, 5, 7, 9]), st.integers(1, 12), st.integers(1, 12))
def test_the_share_of_a_kernel_inside_is_counted_pixel_by_pixel(kernel: int, height: int, width: int) -> None:
    image, reach = np.ones((height, width)), kernel // 2
    padded = np.pad(image, reach)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel))
    assert float(inside(kernel, height, width)) == pytest.approx(windows.mean())


def test_many_at_once_are_each_alone() -> None:
    kernels, heights = np.array([1, 3, 5, 7]), np.array([[8], [3], [1]])
    found = inside(kernels, heights, 4)
    assert found.shape == (3, 4)
    for row, height in enumerate(heights[:, 0]):
        for column, kernel in enumerate(kernels):
            assert found[row, column] == inside(kernel, height, 4)
