"""What all tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

# The same examples each time: what fails is due to the change. `--hypothesis-profile=explore` draws others.
settings.register_profile("ohmnas", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("ohmnas")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a test that takes minutes come first, so that no worker is left with one in the end."""
    long = {item.path for item in items if item.get_closest_marker("minutes")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
