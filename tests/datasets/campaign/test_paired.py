from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ohmnas.datasets.campaign.paired import difference, holm


def test_a_difference_is_scipys_paired_t_test(rng: np.random.Generator) -> None:
    first, second = rng.normal(0.9, 0.02, (2, 6))
    found = difference(first.tolist(), second.tolist())
    assert found is not None
    test = stats.ttest_rel(first, second)
    interval = test.confidence_interval(0.95)
    assert found.pairs == 6
    assert found.mean == pytest.approx(float((first - second).mean()))
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    assert found.p == pytest.approx(float(test.pvalue))


def test_trainings_that_diverged_leave_their_pair() -> None:
    found = difference([0.5, None, 0.7, 0.8], [0.4, 0.4, None, 0.6])
    assert found is not None
    assert found.pairs == 2
    assert found.mean == pytest.approx(0.15)
    assert difference([None, 0.5], [0.5, None]) is None


def test_one_pair_and_equal_differences_have_no_test() -> None:
    one = difference([0.5], [0.25])
    assert one is not None
    assert one.to_dict() == {"mean": 0.25, "low": None, "high": None, "p": None, "pairs": 1}
    same, all_better = difference([0.5, 0.75], [0.5, 0.75]), difference([0.5, 0.75], [0.25, 0.5])
    assert same is not None
    assert all_better is not None
    assert (same.p, all_better.p) == (1.0, None)
    assert (all_better.mean, all_better.low, all_better.high) == (0.25, None, None)


def test_holm_is_the_textbooks_example() -> None:
    """Holm (1979): the smallest of four is multiplied by 4, the next by 3, and order is kept."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(values: list[float]) -> None:
    corrected = holm(values)
    assert all(value <= after <= 1.0 for value, after in zip(values, corrected, strict=True))
    assert (np.diff(np.array(corrected)[np.argsort(values, kind="stable")]) >= 0).all()
    assert max(corrected) <= min(len(values) * max(values), 1.0) + 1e-12
