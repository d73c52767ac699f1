"""Early stopping of training runs by comparison."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.curves import Asha, hyperband, rungs, successive_halving


def test_rungs_grow_by_the_reduction() -> None:
    assert rungs(48, 6) == [6, 12, 24]
    assert rungs(48, 6, 4) == [6, 24]
    assert rungs(48, 47) == [47]
    with pytest.raises(InvalidValueError, match="1 to 47, not 48"):
        rungs(48, 48)
    with pytest.raises(InvalidValueError, match="above 1"):
        rungs(48, 6, 1)


def test_halving_keeps_the_best_of_each_rung() -> None:
    values = np.array([[0.1, 0.9], [0.2, np.nan], [0.3, 0.5], [0.4, 0.4]])
    assert successive_halving(values).tolist() == [0, 0, 2, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True), st.sampled_from([1.5, 2, 3]))
def test_the_best_at_every_rung_is_never_stopped(values: list[float], reduction: float) -> None:
    best = int(np.argmax(values))
    array = np.repeat(np.array(values)[:, None], 3, axis=1)
    assert successive_halving(array, reduction)[best] == 3
    asha = Asha(reduction)
    assert [asha.continues(6, value) for value in values][best]


def test_asha_continues_about_half() -> None:
    asha = Asha()
    gone = [asha.continues(6, value) for value in np.random.default_rng(0).random(1000)]
    assert 0.45 < np.mean(gone) < 0.55


def test_asha_compares_within_a_rung_and_stops_nan() -> None:
    asha = Asha()
    assert asha.continues(6, 0.9)
    assert not asha.continues(6, 0.1)
    assert asha.continues(12, 0.1)
    assert not asha.continues(12, float("nan"))


def test_hyperband_trains_some_networks_without_comparison() -> None:
    values = np.random.default_rng(0).random((100, 3))
    passed = hyperband(values)
    assert passed.min() == 0
    assert (passed == 3).sum() > (successive_halving(values) == 3).sum()
    last = np.random.default_rng(1).random((100, 0))
    assert hyperband(last).tolist() == [0] * 100  # nothing to compare: all are trained to the end
