"""Campaigns: the plan, what is open, and rows that do not depend on how they were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.card import make_card
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.plan import plan
from ohmnas.datasets.protocol import Protocol
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import read_table, write_table
from ohmnas.datasets.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import Hardware

from .conftest import comparable

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, chips=2, train_images=128)


def _campaign(n: int) -> Campaign:
    return Campaign(Protocol(DIGITS, TINY), plan(DIGITS, n), (Hardware(),), seed=0)


def _ignore(row: Row) -> None:
    pass


def test_a_campaign_goes_on_from_an_exported_table_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "whole.sqlite") as whole:
        _campaign(4).run(whole, jobs=1, report=_ignore)
        expected = comparable(whole.frame())
    with Store(tmp_path / "first.sqlite") as first:
        _campaign(2).run(first, jobs=1, report=_ignore)
        write_table(tmp_path / "part.csv", first.frame(), make_card(first.frame(), DIGITS))
    with Store(tmp_path / "second.sqlite") as second:
        second.add(read_table(str(tmp_path / "part.csv")).rows())
        measured: list[Row] = []
        _campaign(4).run(second, jobs=1, report=measured.append)
        assert len(measured) == 2
        assert comparable(second.frame()).equals(expected)


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
            frames.append(comparable(store.frame()))
    assert frames[0].equals(frames[1])
