"""What a surrogate says."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from ohmnas.search.quantities import PREDICTIONS
from ohmnas.surrogate.learning import HEADS
from ohmnas.surrogate.prediction import Prediction


def test_it_has_a_value_for_each_head_in_their_order() -> None:
    assert tuple(field.name for field in fields(Prediction)) == HEADS == PREDICTIONS


def test_it_stays_as_it_was_said() -> None:
    said = Prediction(np.ones(2), np.ones(2), np.zeros(2))
    with pytest.raises(FrozenInstanceError):
        said.avm = np.ones(2)  # type: ignore[misc]
