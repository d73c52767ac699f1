"""What all tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("ohmnas", deadline=None)
settings.load_profile("ohmnas")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
