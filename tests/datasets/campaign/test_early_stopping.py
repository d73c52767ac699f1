from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.datasets.campaign import campaign as module
from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.early_stopping import EarlyStopping, Limits, Seen
from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.estimators.curves import Asha
from ohmnas.hardware import Hardware

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=4, batch=32, chips=2, train_images=64, validation_images=50, resolution=4)
NETWORKS = DIGITS.space.sample(4, np.random.default_rng(0), max_params=2_000)
STOPPING = EarlyStopping(4)


def row_of(losses: dict[int, float], hardware: str = "pcm") -> schema.Row:
    return {"hardware": hardware, "loss_curve": schema.curve(losses)}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.sampled_from([1.5, 2, 3]))
def test_one_worker_decides_as_asha(losses: list[int], reduction: float) -> None:
    seen, asha = Seen(EarlyStopping(4, reduction)), Asha(reduction)
    for loss in losses:
        stops = seen.limits("pcm").stops(1, float(loss))
        assert stops != asha.continues(1, -float(loss))
        seen.add([row_of({1: loss})])


def test_losses_are_compared_at_a_quarter_and_half_of_the_training() -> None:
    assert EarlyStopping(48).rungs == [12, 24]
    assert STOPPING.rungs == [1, 2]
    assert not Limits({12: 0.5}).stops(11, 9.0)


def test_each_chip_has_its_own_comparison() -> None:
    seen = Seen(STOPPING)
    seen.add([row_of({1: 0.1}), row_of({1: 0.2})])
    assert seen.limits("pcm").stops(1, 0.3)
    assert not seen.limits("reram").stops(1, 0.3)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="training runs of 1 epoch are too short"):
        EarlyStopping(1)
    with pytest.raises(InvalidValueError, match="must be a number above 1, not 1"):
        EarlyStopping(48, 1)


def campaign(n: int, stopping: EarlyStopping | None = STOPPING) -> Campaign:
    return Campaign(Protocol(DIGITS, TINY), NETWORKS[:n], (Hardware(),), seed=0, stopping=stopping)


def test_stopped_rows_are_marked_and_never_mixed_with_whole_ones(tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        campaign(4).run(store, 1, lambda _row: None)
        rows = store.rows()
        stopped = [row for row in rows if row["status"] == schema.STATUS_STOPPED]
        assert 1 <= len(stopped) < len(rows) == 4
        for row in stopped:
            assert str(row["reason"]).startswith("stopped after ")
            assert row["accuracy_1d"] is None
            assert len(schema.points(str(row["loss_curve"]))) in STOPPING.rungs
        write_table(tmp_path / "t.csv", store.frame(), make_card(store.frame(), DIGITS))
        table = read_table(str(tmp_path / "t.csv"))
        assert len(table.frame) == 4
        assert len(table.measured) == 4 - len(stopped)
        assert campaign(4).open_rows(store) == 0
        assert campaign(4, None).open_rows(store) == len(stopped)  # all are trained to the end
        campaign(4, None).run(store, 1, lambda _row: None)
        assert {row["status"] for row in store.rows()} == {schema.STATUS_OK}


def test_a_resumed_campaign_compares_with_the_stored_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Limits] = []

    def noted(*arguments: object) -> list[schema.Row]:
        *before, comparison = arguments
        assert isinstance(comparison, Limits)
        asked.append(comparison)
        return measure(*before, comparison)  # type: ignore[arg-type,call-arg]

    monkeypatch.setattr(module, "measure", noted)
    for n in (1, 2):
        with Store(tmp_path / "store.sqlite") as store:
            campaign(n).run(store, 1, lambda _row: None)
    assert asked[0].of_epoch == {1: np.inf, 2: np.inf}
    with Store(tmp_path / "store.sqlite") as store:
        first = min(store.rows(), key=lambda row: len(str(row["reason"])))
    assert asked[1].of_epoch[1] == schema.points(str(first["loss_curve"]))[1]


def test_a_short_training_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(InvalidValueError, match="too short"):
        EarlyStopping(replace(TINY, epochs=3).epochs)
