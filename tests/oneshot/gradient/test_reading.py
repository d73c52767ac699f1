from __future__ import annotations

import numpy as np
import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient.reading import PathEstimator
from ohmnas.oneshot.gradient.search import _protocol
from ohmnas.oneshot.gradient.soft_cells import SoftCells
from ohmnas.targets import DEFAULTS

from .conftest import settings


def test_it_reads_one_path_on_chips_and_refuses_without_one() -> None:
    from ohmnas.analog.convert import to_analog

    chosen = settings(images=64)
    estimator = PathEstimator(_protocol(task("digits").in_space("cells"), chosen), hardware("pcm"), 1, 0)
    cell = np.array([[3, 0, 0, 1, 0, 0]], dtype=np.int16)
    with pytest.raises(InvalidValueError, match="one architecture"):
        estimator.estimate(cell)
    estimator.path = to_analog(SoftCells(1, 10, 4, 1), hardware("pcm")).only(cell[0].astype(np.intp))
    found = estimator.estimate(cell)
    assert found.targets == DEFAULTS
    assert 0.0 <= found["accuracy_1d"][0] <= 1.0
    assert estimator.provenance["task"] == "digits"
