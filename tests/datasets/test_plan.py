from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.plan import PLAN_BLOCK, plan
from ohmnas.datasets.task import task
from ohmnas.errors import InfeasibleError
from ohmnas.spaces.reference import REFERENCES

DIGITS = task("digits")


def test_a_plan_does_not_depend_on_how_long_it_is() -> None:
    long = plan(DIGITS, 2 * PLAN_BLOCK + 10)
    for n in (3, 50, PLAN_BLOCK + 20):
        assert np.array_equal(plan(DIGITS, n), long[:n])
    assert len(np.unique(long, axis=0)) == len(long)
    assert not np.array_equal(plan(DIGITS, 50, seed=1)[20:], long[20:50])


def test_a_plan_stays_in_the_bounds_and_begins_with_the_references_that_do() -> None:
    population = plan(DIGITS, 150)
    costs = DIGITS.space.layer_table(population)
    assert (costs.params() <= DIGITS.max_params).all()
    assert (costs.params() >= DIGITS.min_params).all()
    assert (costs.macs() <= DIGITS.max_macs).all()
    known = DIGITS.space.encode(REFERENCES.values())
    fitting = known[DIGITS.space.params(known) <= DIGITS.max_params]
    assert np.array_equal(population[: len(fitting)], fitting)


def test_a_plan_that_is_longer_than_its_bounds_allow_ends_with_a_message() -> None:
    tight = replace(DIGITS, min_params=0, max_params=400)
    assert len(plan(tight, 20)) == 20
    with pytest.raises(InfeasibleError, match="found only"):
        plan(tight, 100_000)
