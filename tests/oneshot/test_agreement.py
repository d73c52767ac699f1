from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.agreement import SUPERNET, SURROGATE, agreement
from ohmnas.oneshot.estimator import SupernetEstimator
from ohmnas.oneshot.supernet import Supernet

from .conftest import made_table


@pytest.fixture(scope="module")
def estimator(supernet: Supernet) -> SupernetEstimator:
    return SupernetEstimator(supernet, chips=2, images=40)


@pytest.fixture(scope="module")
def table(supernet: Supernet, tmp_path_factory: pytest.TempPathFactory) -> MeasuredTable:
    return read_table(made_table(supernet, tmp_path_factory.mktemp("table") / "made.csv"))


def labelled(table: MeasuredTable, **columns: Any) -> MeasuredTable:
    return replace(table, frame=table.frame.assign(**columns))


def test_a_table_of_its_own_readings_agrees(estimator: SupernetEstimator, table: MeasuredTable) -> None:
    genes = list(table.space.gene_names)
    read = estimator.estimate(table.frame[genes].to_numpy(np.int16))
    own = labelled(table, **{name: read[name] for name in read.names})
    rows, found = agreement(estimator, own, surrogate=False)
    assert rows == len(table.frame)
    assert found[SUPERNET].tau["accuracy_1d"] == pytest.approx(1.0)
    assert found[SUPERNET].seconds >= 0.0
    opposite = labelled(table, accuracy_1d=1.0 - read["accuracy_1d"])
    assert agreement(estimator, opposite, surrogate=False)[1][SUPERNET].tau["accuracy_1d"] == pytest.approx(
        -1.0, abs=0.05
    )  # ties


def test_parameters_agree_with_parameters(estimator: SupernetEstimator, table: MeasuredTable) -> None:
    sizes = table.frame["params"]
    _, found = agreement(estimator, labelled(table, accuracy_1d=sizes / sizes.max()), surrogate=False)
    assert found["params"].tau["accuracy_1d"] == pytest.approx(1.0)
    assert found["params"].best_third == pytest.approx(1.0)
    assert found["params"].error["accuracy_1d"] < 1e-9


def test_the_surrogate_does_not_see_the_rows_that_it_predicts(
    estimator: SupernetEstimator, table: MeasuredTable
) -> None:
    rows, found = agreement(estimator, table, most=12)
    assert rows == 12
    assert abs(found[SURROGATE].tau["accuracy_1d"]) < 0.8  # the labels are random numbers


def test_another_table_is_refused(estimator: SupernetEstimator, table: MeasuredTable) -> None:
    with pytest.raises(InvalidValueError, match="for the task people, but the supernet is for digits"):
        agreement(estimator, replace(table, card={**table.card, "task": "people"}))
    with pytest.raises(InvalidValueError, match="for the chip other, but the supernet is for pcm"):
        agreement(estimator, labelled(table, hardware="other"))
    few = replace(table, frame=table.frame.assign(OC0=64))
    with pytest.raises(InvalidValueError, match="has 0 of the supernet's networks; a comparison needs at least 10"):
        agreement(estimator, few)
