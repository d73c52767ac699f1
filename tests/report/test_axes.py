from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.report.axes import axis

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: round(value, 3))


def test_values_that_differ_by_rounding_have_an_axis() -> None:
    made = axis("x", [0.9333333333333332, 0.9333333333333333])
    assert made.low < 0.93
    assert made.high > 0.94


@given(st.lists(numbers, min_size=1, max_size=20))
def test_a_linear_axis_shows_all_values_and_has_ticks_inside(values: list[float]) -> None:
    made = axis("x", values)
    assert all(0.0 <= made.share(value) <= 1.0 for value in values)
    assert 1 <= len(made.ticks) <= 9
    assert all(made.low <= tick <= made.high for tick, _ in made.ticks)
    texts = [text for _, text in made.ticks]
    assert len(set(texts)) == len(texts)


@given(st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_axis_has_at_least_two_labelled_ticks_unless_all_values_are_equal(values: list[float]) -> None:
    made = axis("x", values, is_log=True)
    assert all(-1e-9 <= made.share(value) <= 1.0 + 1e-9 for value in values)
    if max(values) / min(values) > 1.3:
        assert len(made.ticks) >= 2
    assert all(text for _, text in made.ticks)


def test_ticks_are_round_numbers() -> None:
    assert [text for _, text in axis("x", [96.4, 99.4]).ticks] == ["97", "98", "99"]
    assert [text for _, text in axis("x", [1000, 200_000], is_log=True).ticks] == ["1k", "3k", "10k", "30k", "100k"]


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf], [0.0]])
@pytest.mark.parametrize("is_log", [True, False])
def test_without_usable_values_there_is_still_an_axis(values: list[float], is_log: bool) -> None:
    made = axis("x", values, is_log)
    assert made.low < made.high
