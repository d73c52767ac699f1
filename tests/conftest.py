"""What all tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

# The same examples each time: what fails is due to the change. `--hypothesis-profile=explore` draws others.
settings.register_profile("ohmnas", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("ohmnas")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
