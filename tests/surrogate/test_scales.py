"""The scales of the targets go there and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ohmnas.surrogate.scales import AVM_UNIT, from_scales, to_scales

FLOOR = 1e-3
fractions = arrays(np.float64, (5, 3), elements=st.floats(0.0, 1.0))


@given(fractions)
def test_fractions_come_back(labels: npt.NDArray[np.float64]) -> None:
    labels[:, 1] = np.maximum(labels[:, 1], FLOOR)
    labels[:, 2] = 2.0 * labels[:, 2] - 1.0
    assert np.allclose(from_scales(to_scales(labels, FLOOR)), labels, atol=1e-12)


def test_deviations_below_the_floor_are_equal() -> None:
    scaled = to_scales(np.array([[0.5, 0.0, 0.0], [0.5, FLOOR, 0.0], [0.5, 2 * FLOOR, 0.0]]), FLOOR)
    assert scaled[0, 1] == scaled[1, 1] < scaled[2, 1]


def test_small_variations_count_by_their_difference_and_large_ones_by_their_ratio() -> None:
    avm = AVM_UNIT * np.array([-0.1, 0.0, 0.1, 10.0, 20.0])
    scaled = to_scales(np.column_stack([np.zeros(5), np.ones(5), avm]), FLOOR)[:, 2]
    assert np.allclose(np.diff(scaled[:3]), 0.1, rtol=0.01)
    assert np.isclose(scaled[4] - scaled[3], np.log(2.0), rtol=0.01)
