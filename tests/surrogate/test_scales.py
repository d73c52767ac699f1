"""The scales of the targets go there and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.scales import AVM_UNIT, LEAST_UNIT, Scales, avm_unit

FLOOR = 1e-3
SCALES = Scales(FLOOR)
fractions = arrays(np.float64, (5, 3), elements=st.floats(0.0, 1.0))


@given(fractions, st.floats(LEAST_UNIT, 1.0))
def test_fractions_come_back(labels: npt.NDArray[np.float64], unit: float) -> None:
    scales = Scales(FLOOR, unit)
    labels[:, 1] = np.maximum(labels[:, 1], FLOOR)
    labels[:, 2] = 2.0 * labels[:, 2] - 1.0
    assert np.allclose(scales.back(scales.to(labels)), labels, atol=1e-12)


def test_deviations_below_the_floor_are_equal() -> None:
    scaled = SCALES.to(np.array([[0.5, 0.0, 0.0], [0.5, FLOOR, 0.0], [0.5, 2 * FLOOR, 0.0]]))
    assert scaled[0, 1] == scaled[1, 1] < scaled[2, 1]


def test_small_variations_count_by_their_difference_and_large_ones_by_their_ratio() -> None:
    avm = AVM_UNIT * np.array([-0.1, 0.0, 0.1, 10.0, 20.0])
    scaled = SCALES.to(np.column_stack([np.zeros(5), np.ones(5), avm]))[:, 2]
    assert np.allclose(np.diff(scaled[:3]), 0.1, rtol=0.01)
    assert np.isclose(scaled[4] - scaled[3], np.log(2.0), rtol=0.01)


def test_the_unit_of_a_table_is_its_median_avm_within_limits() -> None:
    assert avm_unit(np.array([-0.02, 0.001, 0.3])) == 0.02
    assert avm_unit(np.array([0.2, 0.1, 0.3])) == AVM_UNIT
    assert avm_unit(np.zeros(3)) == LEAST_UNIT


@pytest.mark.parametrize(
    ("numbers", "message"),
    [((0.0, 0.01), "std_floor is 0.0"), ((np.nan, 0.01), "std_floor is nan"), ((1e-3, 0.0), "avm_unit is 0.0"),
     ((1e-3, 2.0), "avm_unit is 2.0")],
)  # fmt: skip
def test_scales_without_meaning_are_refused(numbers: tuple[float, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Scales(*numbers)


@given(st.floats(LEAST_UNIT, 1.0), st.floats(1e-12, 1.0), st.floats(-1e6, 1e6))
def test_bounded_values_come_back_as_possible_fractions(unit: float, floor: float, value: float) -> None:
    scales = Scales(floor, unit)
    accuracy, std, avm = scales.back(scales.bounded(np.full((1, 3), value)))[0]
    assert 0.0 <= accuracy <= 1.0
    assert std <= 1.0
    assert -1.0 <= avm <= 1.0
