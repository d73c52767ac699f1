"""Campaigns: the plan, what is open, and rows that do not depend on how they were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets import schema
from ohmnas.datasets.campaign import PLAN_BLOCK, Campaign, plan
from ohmnas.datasets.card import make_card
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.measure import Protocol
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import read_table, write_table
from ohmnas.datasets.task import task
from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.reference import REFERENCES

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, chips=2, train_images=128)


def _campaign(n: int) -> Campaign:
    return Campaign(Protocol(DIGITS, TINY), plan(DIGITS, n), (Hardware(),), seed=0)


def _ignore(row: Row) -> None:
    pass


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=list(schema.SECONDS_COLUMNS))


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


def test_a_campaign_goes_on_from_an_exported_table_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "whole.sqlite") as whole:
        _campaign(4).run(whole, jobs=1, report=_ignore)
        expected = _comparable(whole.frame())
    with Store(tmp_path / "first.sqlite") as first:
        _campaign(2).run(first, jobs=1, report=_ignore)
        write_table(tmp_path / "part.csv", first.frame(), make_card(first.frame(), DIGITS))
    with Store(tmp_path / "second.sqlite") as second:
        second.add(read_table(str(tmp_path / "part.csv")).rows())
        measured: list[Row] = []
        _campaign(4).run(second, jobs=1, report=measured.append)
        assert len(measured) == 2
        assert _comparable(second.frame()).equals(expected)


@pytest.mark.parametrize(
    ("chip", "effort", "name"),
    [(replace(Hardware(), drift=0.0), TINY, "hw_drift"), (Hardware(), replace(TINY, epochs=2), "epochs")],
)
def test_rows_that_were_measured_otherwise_are_not_taken_for_ones_own(
    chip: Hardware, effort: Fidelity, name: str, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        _campaign(1).run(store, jobs=1, report=_ignore)
        other = replace(_campaign(2), protocol=Protocol(DIGITS, effort), chips=(chip,))
        with pytest.raises(InvalidValueError, match=f"with {name} "):
            other.run(store, jobs=1, report=_ignore)
        assert len(store.identities()) == 1
        third = Protocol(DIGITS, replace(effort, name="other"))
        replace(_campaign(2), protocol=third).run(store, jobs=1, report=_ignore)
        assert len(store.identities()) == 3


@pytest.mark.slow
def test_two_workers_give_the_rows_of_one(tmp_path: Path) -> None:
    frames = []
    for jobs in (1, 2):
        with Store(tmp_path / f"{jobs}.sqlite") as store:
            _campaign(4).run(store, jobs=jobs, report=_ignore)
            frames.append(_comparable(store.frame()))
    assert frames[0].equals(frames[1])
