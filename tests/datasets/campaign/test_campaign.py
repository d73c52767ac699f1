"""Campaigns: the plan, what is open, and rows that do not depend on how they were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol, training_settings
from ohmnas.datasets.campaign.store import Store, identity
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, StorageError
from ohmnas.hardware import Hardware, hardware
from ohmnas.hardware.chip_genes import GENE_TECHNOLOGIES as TECHNOLOGIES
from ohmnas.hardware.chip_genes import drawn_for, to_hardware
from tests.datasets.conftest import MadeMeasurements, comparable, varied_rows

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=128)
SMOKE = Protocol(DIGITS, fidelity("smoke", "digits"))


def _campaign(n: int) -> Campaign:
    return Campaign(Protocol(DIGITS, TINY), plan(DIGITS, n), (Hardware(),), seed=0)


def _varied(n: int, times: int, protocol: Protocol = SMOKE) -> Campaign:
    """Each architecture on so many settings of chips, in all technologies."""
    own = tuple(tuple(to_hardware(drawn_for(place, times))) for place in range(n))
    return Campaign(protocol, plan(DIGITS, n), (Hardware(),), seed=0, own_chips=own)


def _ignore(row: Row) -> None:
    pass


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Rows of a campaign of four architectures in one process."""
    with Store(tmp_path_factory.mktemp("four") / "whole.sqlite") as whole:
        _campaign(4).run(whole, jobs=1, report=_ignore)
        return whole.rows()


def test_a_campaign_resumes_from_an_exported_table_alone(four: list[Row], tmp_path: Path) -> None:
    expected = comparable(pd.DataFrame(four))
    with Store(tmp_path / "first.sqlite") as first:
        first.add(row for row in four if identity(row) in _campaign(2).identities())
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
def test_a_campaign_refuses_rows_measured_with_other_settings(
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
def test_two_workers_give_the_rows_of_one(four: list[Row], tmp_path: Path) -> None:
    with Store(tmp_path / "two.sqlite") as store:
        _campaign(4).run(store, jobs=2, report=_ignore)
        assert comparable(store.frame()).equals(comparable(pd.DataFrame(four)))


def test_each_architecture_is_measured_once_on_each_of_its_own_chips(
    made_measurements: MadeMeasurements, tmp_path: Path
) -> None:
    campaign = _varied(4, times=3)
    assert campaign.size == 4 * 3 * len(TECHNOLOGIES)
    rows: list[Row] = []
    with Store(tmp_path / "s.sqlite") as store:
        assert campaign.open_rows(store) == campaign.size
        campaign.run(store, jobs=1, report=rows.append)
        assert campaign.open_rows(store) == 0
        assert sorted(store.identities(), key=str) == sorted(map(identity, rows), key=str)
    assert sorted(map(identity, rows), key=str) == sorted(map(identity, varied_rows(4, 3)), key=str)


def test_the_technologies_of_one_setting_share_one_training(
    made_measurements: MadeMeasurements, tmp_path: Path
) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        _varied(4, times=3).run(store, jobs=1, report=_ignore)
    assert len(made_measurements.trained) == 4 * 3
    for _, chips in made_measurements.trained:
        assert [chip.technology for chip in chips] == list(TECHNOLOGIES)
        assert len({training_settings(chip) for chip in chips}) == 1


def test_a_campaign_over_chips_resumes_without_measuring_anything_twice(
    made_measurements: MadeMeasurements, tmp_path: Path
) -> None:
    rows: list[Row] = []

    def stop(row: Row) -> None:
        rows.append(row)
        if len(rows) == 7:
            raise KeyboardInterrupt

    with Store(tmp_path / "s.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            _varied(3, times=2).run(store, jobs=1, report=stop)
        stored = len(store.identities())
        assert stored == 9  # the rows of a training run are committed at once
        assert _varied(3, times=2).open_rows(store) == 18 - stored
        _varied(4, times=2).run(store, jobs=1, report=_ignore)
        assert {identity(row) for row in varied_rows(4, 2)} == store.identities()
    trained = [(genome, chip.name) for genome, chips in made_measurements.trained for chip in chips]
    assert len(trained) == len(set(trained)) == 4 * 2 * 3


def test_rows_missing_for_one_technology_are_trained_for_it_alone(
    made_measurements: MadeMeasurements, tmp_path: Path
) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.add([row for row in varied_rows(2, 2) if row["technology"] == "hermes"])
        _varied(2, times=2).run(store, jobs=1, report=_ignore)
        assert len(store.identities()) == 2 * 2 * 3
    assert [[chip.technology for chip in chips] for _, chips in made_measurements.trained] == [["pcm", "reram"]] * 4


def test_users_chips_are_checked_against_the_store(tmp_path: Path) -> None:
    rows = varied_rows(3, 1)
    rows[4]["hw_drift"] = 0.5
    with Store(tmp_path / "s.sqlite") as store:
        store.add(rows)
        with pytest.raises(InvalidValueError, match=rf"holds rows of {rows[4]['hardware']} .* with hw_drift 0\.5"):
            _varied(3, times=1).check(store)
        _varied(1, times=1).check(store)


def test_a_row_does_not_depend_on_the_chips_that_are_measured_with_it(tmp_path: Path) -> None:
    campaign = _varied(1, times=1, protocol=Protocol(DIGITS, TINY))
    rows: list[Row] = []
    with Store(tmp_path / "together.sqlite") as together:
        campaign.run(together, jobs=1, report=rows.append)
        frame = comparable(together.frame())
    assert len({row["accuracy_digital"] for row in rows}) == len({row["train_seconds"] for row in rows}) == 1
    assert len({row["accuracy_1d"] for row in rows}) > 1
    reram = hardware(str(rows[2]["hardware"]))
    with Store(tmp_path / "alone.sqlite") as alone:
        replace(campaign, chips=(reram,), own_chips=()).run(alone, jobs=1, report=_ignore)
        expected = frame[frame["technology"] == "reram"].reset_index(drop=True)
        assert comparable(alone.frame()).equals(expected)


def test_a_campaign_whose_store_is_deleted_ends_and_its_rows_are_rescued(
    made_measurements: MadeMeasurements, tmp_path: Path
) -> None:
    path, there = tmp_path / "s.sqlite", 0

    def delete_after_two(row: Row) -> None:
        nonlocal there
        there += 1
        if there == 2:
            path.unlink()

    campaign = Campaign(SMOKE, plan(DIGITS, 6), (Hardware(),), seed=0)
    with pytest.raises(StorageError, match=r"s\.sqlite was deleted"), Store(path) as store:
        campaign.run(store, 1, delete_after_two)
    with Store(tmp_path / "s-rescued.sqlite") as rescued:
        assert len(rescued.rows()) == 3  # the row that could not be written is there too
        campaign.run(rescued, 1, _ignore)
        assert len(rescued.rows()) == 6


@pytest.mark.parametrize("seed", [-1, VERIFICATION_SEEDS])
def test_seeds_of_verification_are_refused(seed: int) -> None:
    with pytest.raises(InvalidValueError, match="must be from 0 to 999999"):
        replace(_campaign(1), seed=seed)
