"""The mixture of trees and process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.mixture import Mixture

EVEN = Mixture((2.0, 4.0), (0.25, 1.0), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))


def test_scores_count_equally_on_any_scale() -> None:
    assert_allclose(EVEN.scores(np.array([2.0, 0.0]), np.array([0.0, 4.0])), [1.0, 1.0])


def test_labels_are_mixed_by_their_shares_within_what_was_measured() -> None:
    assert_allclose(
        EVEN.labels(np.array([[0.4, 0.3], [9.0, 9.0]]), np.array([[0.8, 0.0], [9.0, 0.0]])), [[0.7, 0.3], [1.0, 1.0]]
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"spreads": (0.0, 1.0)},
        {"spreads": (1.0, float("nan"))},
        {"shares": (-0.1, 0.5)},
        {"shares": (0.1, 1.5)},
        {"means": (0.0, float("inf"))},
        {"lowest": (2.0, 0.0)},
    ],
    ids=str,
)
def test_invalid_weights_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        replace(EVEN, **changes)
