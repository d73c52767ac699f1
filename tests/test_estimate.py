from __future__ import annotations

from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimate import Estimate
from ohmnas.targets import DEFAULTS, TARGETS

names = st.lists(st.sampled_from(sorted(TARGETS)), min_size=1, unique=True)
seeds = st.integers(0, 2**32 - 1)


def drawn(of: list[str], n: int, seed: int) -> Estimate:
    """Random values of some targets."""
    values = np.random.default_rng(seed).random((n, len(of)))
    return Estimate(tuple(TARGETS[name] for name in of), values)


@given(names, st.integers(0, 6), seeds)
def test_columns_come_back_by_name_and_rows_by_place(of: list[str], n: int, seed: int) -> None:
    one = drawn(of, n, seed)
    assert len(one) == n
    assert one.names == tuple(of)
    for column, name in enumerate(of):
        np.testing.assert_array_equal(one[name], one.values[:, column])
        assert name in one
    for place in range(n):
        assert one.row(place) == {name: one[name][place] for name in of}
    again = Estimate.of(**{name: one[name] for name in of})
    assert again.targets == one.targets
    np.testing.assert_array_equal(again.values, one.values)


@given(names, st.lists(st.integers(0, 4), min_size=1, max_size=4), seeds)
def test_parts_put_together_are_the_whole(of: list[str], sizes: list[int], seed: int) -> None:
    whole = drawn(of, sum(sizes), seed)
    ends = np.cumsum([0, *sizes])
    parts = [whole.take(np.arange(start, end)) for start, end in pairwise(ends)]
    assert [len(part) for part in parts] == sizes
    again = parts[0].join(parts[1:])
    assert again.targets == whole.targets
    np.testing.assert_array_equal(again.values, whole.values)


def test_rows_are_taken_in_the_order_that_is_asked_for() -> None:
    one = Estimate.of(avm=[0.1, 0.2, 0.3], accuracy_1d=[0.7, 0.8, 0.9])
    some = one.take(np.array([2, 0, 2]))
    assert some["avm"].tolist() == [0.3, 0.1, 0.3]
    assert some.row(1) == {"avm": 0.1, "accuracy_1d": 0.7}


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 4), (3, 3, 1)])
def test_values_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValueError, match=r"must have the shape \(n, 3\), one column per target, not"):
        Estimate(DEFAULTS, np.zeros(shape))


def test_a_target_that_is_not_estimated_is_refused_and_the_known_ones_are_listed() -> None:
    one = Estimate.of(avm=[0.1], accuracy_1d=[0.7])
    assert "accuracy_1mo" not in one
    assert 3 not in one
    with pytest.raises(InvalidValueError, match="this estimate has no accuracy_1mo; it has avm, accuracy_1d"):
        one["accuracy_1mo"]


def test_estimates_with_other_targets_cannot_be_joined() -> None:
    one = Estimate.of(avm=[0.1])
    for other in (Estimate.of(accuracy_1d=[0.7]), Estimate.of(avm=[0.1], accuracy_1d=[0.7])):
        with pytest.raises(InvalidValueError, match="the estimates to append must have the targets"):
            one.join([other])


def test_an_estimate_stays_as_it_was_made() -> None:
    one = Estimate.of(avm=[0.1])
    with pytest.raises(FrozenInstanceError):
        one.values = np.zeros((1, 1))  # type: ignore[misc]


def test_an_estimate_without_columns_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least one column"):
        Estimate.of()


def test_an_estimate_of_a_target_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown target 'speed'"):
        Estimate.of(speed=np.zeros(3))
