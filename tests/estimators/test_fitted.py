"""Surrogates as estimators of a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.estimators import estimator
from ohmnas.search.estimator import Estimator
from ohmnas.testing import EstimatorContract


class TestSurrogate(EstimatorContract):
    draws_nothing = True

    def make(self, seed: int) -> Estimator:
        return estimator("surrogate", task("digits"), seed)


def test_a_task_without_a_surrogate_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no surrogate is shipped for the task letters"):
        estimator("surrogate", replace(task("digits"), name="letters"))
    with pytest.raises(InvalidValueError, match="is for ResNetSpace"):
        estimator("surrogate", task("digits").in_space("cells"))
