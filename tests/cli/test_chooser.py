"""A campaign that chooses as it goes: within its size, without repeats, and the same after any interruption."""

from __future__ import annotations

from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from ohmnas.cli import chooser
from ohmnas.cli.chooser import Chooser
from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.plan import plan
from ohmnas.datasets.protocol import Protocol
from ohmnas.datasets.store import Store, identity
from ohmnas.datasets.table import read_table
from ohmnas.datasets.task import task
from ohmnas.spaces.hardware import Hardware


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chooser, "FIRST", 12)
    monkeypatch.setattr(chooser, "BATCH", 6)


PAPER = Fidelity("paper", epochs=24, batch=128, chips=25)
"""Of the shipped rows."""


def choosing(n: int, store: Store) -> Chooser:
    digits = task("digits")
    campaign = Campaign(Protocol(digits, PAPER), plan(digits, n), (Hardware(),), seed=0)
    return Chooser(campaign, plan(digits, chooser.planned(n, len(store.identities()))), store)


def test_it_begins_with_the_plan_and_goes_on_with_two_thirds_of_it(tmp_path: Path) -> None:
    """The shipped rows stand in for what would be measured."""
    with Store(tmp_path / "s.sqlite") as store:
        one = choosing(24, store)
        assert_array_equal(one.chosen(), one.plan[:12])
        store.add(read_table("digits").rows())
        measured = {row[4:] for row in store.identities()}
        one = choosing(24, store)
        one.choose()
        first = one.chosen()
        assert_array_equal(choosing(24, store).chosen(), first)
        while len(one.chosen()) < 24:
            one.choose()
        chosen = one.chosen()
    assert_array_equal(chosen[: len(first)], first)
    keys = [genome.tobytes() for genome in chosen]
    assert len(chosen) == len(set(keys)) == 24
    from_plan = [genome.tobytes() in set(keys) for genome in one.plan]
    assert sum(from_plan) >= 12 + 8  # 2 of 6 are chosen otherwise, and may stand in the plan too
    assert not all(from_plan)
    assert not measured & {tuple(genome.tolist()) for genome in chosen[12:]}  # nothing is measured twice
    assert_array_equal(task("digits").space.check(chosen), chosen)


def test_without_rows_to_learn_from_it_goes_on_with_the_plan(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        one = choosing(20, store)
        one.choose()
        one.choose()
        assert_array_equal(one.chosen(), one.plan[:20])


def test_a_store_that_began_with_a_table_goes_on_from_its_rows(tmp_path: Path) -> None:
    some = [row for row in read_table("digits").rows() if row["hardware"] == "pcm" and row["seed"] == 0][:30]
    with Store(tmp_path / "s.sqlite") as store:
        store.add(some)
        one = choosing(36, store)
        there = {tuple(genome.tolist()) for genome in one.chosen()}
        assert there == {identity(row)[4:] for row in some}
        one.choose()
        assert len(one.chosen()) == 36
        assert_array_equal(choosing(36, store).chosen(), one.chosen())
