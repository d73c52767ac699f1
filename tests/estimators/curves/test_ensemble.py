"""Parametric extrapolation of learning curves."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimators.curves import FAMILIES, extrapolate, extrapolate_each

EPOCHS = np.arange(1.0, 13.0)


@pytest.mark.parametrize("name", ["pow3", "mmf", "janoschek"])
def test_a_curve_of_a_family_is_continued(name: str) -> None:
    family = FAMILIES[name]
    truth = family.curve(np.array([48.0]), *family.start)[0]
    mean, std = extrapolate(EPOCHS, family.curve(EPOCHS, *family.start), 48.0)
    assert mean == pytest.approx(truth, abs=0.05)
    assert 0.0 <= std < 0.1


def test_a_better_curve_has_a_better_end() -> None:
    rise = 1.0 - np.exp(-EPOCHS / 3.0)
    ends = extrapolate_each(EPOCHS, np.array([0.6 * rise, 0.9 * rise]), 48.0)[:, 0]
    assert 0.5 < ends[0] < ends[1] < 1.0


def test_predictions_stay_within_fractions_and_above_the_last_value() -> None:
    mean, _ = extrapolate(np.array([1.0]), np.array([0.99]), 48.0)
    assert 0.9 < mean <= 1.0
    falling = np.array([0.9, 0.5, 0.1])
    assert 0.0 <= extrapolate(np.array([1.0, 2.0, 3.0]), falling, 48.0)[0] <= 1.0


def test_a_curve_without_values_has_no_end() -> None:
    assert np.isnan(extrapolate_each(EPOCHS, np.full((1, 12), np.nan), 48.0)).all()
    with pytest.raises(InvalidValueError, match="one value per epoch"):
        extrapolate(EPOCHS[:0], EPOCHS[:0], 48.0)
    with pytest.raises(InvalidValueError, match="from 0 to 1"):
        extrapolate(EPOCHS, EPOCHS, 48.0)
    for epochs in ([0.0, 1.0], [2.0, 2.0]):
        with pytest.raises(InvalidValueError, match="must be at least 1 and increase"):
            extrapolate(epochs, [0.1, 0.2], 48.0)
    with pytest.raises(UnknownNameError, match="unknown family of curves 'nope'"):
        extrapolate_each(EPOCHS, np.zeros((1, 12)), 48.0, families=["nope"])
