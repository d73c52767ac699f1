"""Families of learning curves."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.estimators.curves import FAMILIES


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_is_a_rising_curve_inside_of_its_box(name: str) -> None:
    family = FAMILIES[name]
    assert len(family.low) == len(family.start) == len(family.high)
    assert all(low < start < high for low, start, high in zip(family.low, family.start, family.high, strict=True))
    values = family.curve(np.arange(1.0, 49.0), *family.start)
    assert np.isfinite(values).all()
    assert (np.diff(values) >= 0.0).all()


@pytest.mark.parametrize("ends", ["low", "high"])
@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_is_defined_in_the_corners_of_its_box(name: str, ends: str) -> None:
    family = FAMILIES[name]
    assert np.isfinite(family.curve(np.arange(1.0, 49.0), *getattr(family, ends))).all()
