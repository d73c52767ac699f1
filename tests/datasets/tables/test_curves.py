"""Learning curves of tables as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.curves import LearningCurves, last_seen
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError

FRAME = pd.DataFrame(
    {
        "epochs": [4, 4],
        "loss_curve": ["1:2.5 2:2 3:1.5 4:1", "1:2.5 2:2.25"],
        "accuracy_curve": ["1:0.25 3:0.75", "1:0.125"],
    }
)


def test_curves_that_were_given_up_end_in_nan() -> None:
    curves = LearningCurves.of(FRAME)
    assert curves.epochs == 4
    assert curves.read_after.tolist() == [1, 3]
    np.testing.assert_array_equal(curves.losses, [[2.5, 2.0, 1.5, 1.0], [2.5, 2.25, np.nan, np.nan]])
    np.testing.assert_array_equal(curves.accuracies, [[0.25, 0.75], [0.125, np.nan]])
    assert curves.trained.tolist() == [4, 2]
    assert last_seen(curves.losses).tolist() == [1.0, 2.25]
    assert np.isnan(last_seen(curves.accuracies[:, :0])).all()


def test_a_cut_curve_knows_nothing_of_later_epochs() -> None:
    cut = LearningCurves.of(FRAME).until(2)
    assert cut.losses.tolist() == [[2.5, 2.0], [2.5, 2.25]]
    assert cut.read_after.tolist() == [1]
    assert cut.accuracies.tolist() == [[0.25], [0.125]]
    assert cut.take(np.array([1])).losses.tolist() == [[2.5, 2.25]]
    with pytest.raises(InvalidValueError, match="from 1 to 4, not 5"):
        cut.until(5)


def test_the_shipped_table_has_a_curve_in_each_row() -> None:
    frame = read_table("digits-protocol4").select()
    curves = LearningCurves.of(frame)
    assert len(curves) == len(frame)
    assert curves.losses.shape == (len(frame), 48)
    assert curves.trained.min() >= 12
    first = {**schema.points(frame["loss_curve"].iloc[0])}
    assert curves.losses[0].tolist() == list(first.values())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"epochs": [4, 8]}, "the same number of epochs"),
        ({"loss_curve": ["1:2", "2:1 1:2"]}, "row 2 has no learning curve in loss_curve"),
        ({"accuracy_curve": ["1:0.5", np.nan]}, "row 2 has no accuracy_curve"),
        ({"loss_curve": ["9:2", "1:2"]}, "at most 4"),
    ],
)
def test_rows_without_curves_are_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidValueError, match=why):
        LearningCurves.of(FRAME.assign(**change))


def test_arrays_must_fit_together() -> None:
    with pytest.raises(InvalidValueError, match="cannot have the shape"):
        LearningCurves(np.ones((2, 3)), np.ones((2, 2)), np.array([1]), 3)
