from __future__ import annotations

import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.gradient.relaxations import relaxed
from ohmnas.spaces.mobile import MobileSpace

from .conftest import SPACE, settings


def test_a_relaxation_has_the_size_of_the_settings() -> None:
    assert relaxed(SPACE, settings(channels=6)).channels == 6  # type: ignore[attr-defined]


def test_other_spaces_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="needs the cells or resnet space, not mobile-1"):
        relaxed(MobileSpace((1, 8, 8), 10), settings())
