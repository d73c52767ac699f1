from __future__ import annotations

from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Store, identity
from ohmnas.datasets.tables.table import read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.surrogate import chooser
from ohmnas.surrogate.chooser import Chooser


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


def test_it_starts_with_the_plan_and_continues_with_two_thirds_of_it(tmp_path: Path) -> None:
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


def test_without_training_rows_it_continues_with_the_plan(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        one = choosing(20, store)
        one.choose()
        one.choose()
        assert_array_equal(one.chosen(), one.plan[:20])


def test_a_store_started_from_a_table_continues_from_its_rows(tmp_path: Path) -> None:
    some = [row for row in read_table("digits").rows() if row["hardware"] == "pcm" and row["seed"] == 0][:30]
    with Store(tmp_path / "s.sqlite") as store:
        store.add(some)
        one = choosing(36, store)
        there = {tuple(genome.tolist()) for genome in one.chosen()}
        assert there == {identity(row)[4:] for row in some}
        one.choose()
        assert len(one.chosen()) == 36
        assert_array_equal(choosing(36, store).chosen(), one.chosen())


def test_a_campaign_that_chooses_measures_failed_rows_again_only_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digits, grown = task("digits"), [0]
    population = plan(digits, 60)
    asked = Campaign(Protocol(digits, PAPER), population, (Hardware(),), seed=0, retry_failed=True)
    with Store(tmp_path / "s.sqlite") as store:
        active = Chooser(asked, population, store)
        monkeypatch.setattr(Chooser, "chosen", lambda _: population[: grown[0]])
        monkeypatch.setattr(Chooser, "choose", lambda _: grown.__setitem__(0, grown[0] + 20))
        parts = [*active.campaigns()]
    assert [len(part.population) for part in parts] == [0, 20, 40, 60]
    assert [part.retry_failed for part in parts] == [True, False, False, False]
