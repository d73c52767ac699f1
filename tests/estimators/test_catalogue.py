"""Estimators by name."""

from __future__ import annotations

import pytest

from ohmnas.datasets.tasks.task import Task, task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimators import ESTIMATORS, estimator
from ohmnas.search.estimator import Estimator
from ohmnas.testing.formula import Formula


def test_an_estimator_has_a_name() -> None:
    def make(task: Task, seed: int) -> Estimator:
        return Formula(avm_offset=float(seed))

    with ESTIMATORS.registered("formula", make):
        made = estimator("formula", task("digits"), 3)
    assert isinstance(made, Formula)
    assert made.avm_offset == 3.0


def test_objects_that_are_not_estimators_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown estimator 'surogate'.*did you mean surrogate"):
        estimator("surogate", task("digits"))
    with pytest.raises(InvalidValueError, match="it is of type int, not a function that makes an estimator"):
        ESTIMATORS.register("number", 3)
    with (
        ESTIMATORS.registered("three", lambda _task, _seed: 3),
        pytest.raises(InvalidValueError, match=r"three returned an object of type int, not an ohmnas\.Estimator"),
    ):
        estimator("three", task("digits"))


def test_every_entry_has_a_summary() -> None:
    assert all(ESTIMATORS.summary(name) for name in ESTIMATORS.own)
