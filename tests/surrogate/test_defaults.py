from __future__ import annotations

import inspect

from ohmnas.surrogate import Surrogate
from ohmnas.surrogate.defaults import MARGINS, RESAMPLES
from ohmnas.surrogate.study import FEWEST_RESAMPLES


def test_defaults_are_allowed() -> None:
    assert inspect.signature(Surrogate).parameters["margin"].default in MARGINS
    assert RESAMPLES >= FEWEST_RESAMPLES
