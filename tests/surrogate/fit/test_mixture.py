"""The mixture of trees and process."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.surrogate.fit.mixture import share, spread

RNG = np.random.default_rng(0)
TREES, PROCESS = RNG.standard_normal(50), RNG.standard_normal(50)


@pytest.mark.parametrize("wanted", [0.0, 0.3, 1.0])
def test_the_share_is_the_one_that_the_labels_follow(wanted: float) -> None:
    assert share(wanted * TREES + (1 - wanted) * PROCESS, TREES, PROCESS) == pytest.approx(wanted)


def test_a_share_is_never_beyond_the_ends() -> None:
    assert share(2 * TREES - PROCESS, TREES, PROCESS) == 1.0
    assert share(2 * PROCESS - TREES, TREES, PROCESS) == 0.0


def test_equal_predictions_get_equal_shares() -> None:
    assert share(TREES, PROCESS, PROCESS) == 0.5


def test_a_spread_is_a_standard_deviation_or_one() -> None:
    assert spread(TREES) == pytest.approx(np.std(TREES))
    assert spread(np.full(5, 0.3)) == 1.0
