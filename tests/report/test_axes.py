from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.report.axes import axis, error_axis

numbers = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: round(value, 3))


def test_values_that_differ_by_rounding_have_an_axis() -> None:
    made = axis("x", [0.9333333333333332, 0.9333333333333333])
    assert made.low < 0.93
    assert made.high > 0.94


@given(st.lists(numbers, min_size=1, max_size=20))
def test_a_linear_axis_shows_all_values_and_has_ticks_inside(values: list[float]) -> None:
    made = axis("x", values)
    assert all(0.0 <= made.share(value) <= 1.0 for value in values)
    assert 3 <= len(made.ticks) <= 9
    assert all(made.low <= tick <= made.high for tick, _ in made.ticks)
    texts = [text for _, text in made.ticks]
    assert len(set(texts)) == len(texts)


@given(st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_axis_has_at_least_three_labelled_ticks_unless_all_values_are_equal(values: list[float]) -> None:
    made = axis("x", values, is_log=True)
    assert all(-1e-9 <= made.share(value) <= 1.0 + 1e-9 for value in values)
    if max(values) / min(values) > 1.3:
        assert len(made.ticks) >= 3
    texts = [text for _, text in made.ticks]
    assert all(texts)
    assert len({*texts}) == len(texts)


def test_ticks_are_round_numbers() -> None:
    assert [text for _, text in axis("x", [96.4, 99.4]).ticks] == ["97", "98", "99"]
    assert [text for _, text in axis("x", [1000, 200_000], is_log=True).ticks] == ["1k", "3k", "10k", "30k", "100k"]


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf], [0.0]])
@pytest.mark.parametrize("is_log", [True, False])
def test_without_usable_values_there_is_still_an_axis(values: list[float], is_log: bool) -> None:
    made = axis("x", values, is_log)
    assert made.low < made.high


def test_an_axis_of_errors_spreads_out_accuracies_near_100_per_cent() -> None:
    made = error_axis("accuracy (%)", [10.0, 90.0, 99.0, 99.9])
    at = [made.share(value) for value in (10.0, 90.0, 99.0, 99.9)]
    assert at == sorted(at)  # a higher accuracy is still higher
    assert at[3] - at[2] == pytest.approx(at[2] - at[1])  # a tenth of the error is the same distance
    assert [text for _, text in made.ticks] == ["0", "50", "80", "90", "95", "98", "99", "99.5", "99.8", "99.9"]


@given(st.lists(st.floats(0.0, 100.0), max_size=20))
def test_an_axis_of_errors_shows_all_accuracies(values: list[float]) -> None:
    made = error_axis("accuracy (%)", values)
    assert all(0.0 <= made.share(value) <= 1.0 for value in values if value <= 99.99)
    assert all(0.0 <= made.share(value) <= 1.02 for value in values)
    texts = [text for _, text in made.ticks]
    assert len({*texts}) == len(texts)
    assert all(0.0 <= tick <= 100.0 for tick, _ in made.ticks)


def test_counts_have_ticks_at_whole_numbers() -> None:
    assert [text for _, text in axis("trainings", [4, 8, 12, 14], is_count=True).ticks] == ["4", "8", "12", "14"]
    assert [text for _, text in axis("trainings", range(4, 25, 2), is_count=True).ticks] == [
        "5",
        "10",
        "15",
        "20",
        "25",
    ]
    assert [text for _, text in axis("trainings", [1, 2], is_count=True).ticks] == ["1", "2"]
