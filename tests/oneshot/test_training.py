from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError
from ohmnas.hardware import Hardware
from ohmnas.oneshot import Plan, training
from ohmnas.oneshot.shared import SharedWeights
from ohmnas.oneshot.supernet import Supernet
from ohmnas.oneshot.training import CHECKPOINT, STARTED, epochs_within, train_supernet

from .conftest import tiny


def stopping(at: int) -> training.Report:
    def report(done: int, total: int, loss: float) -> None:
        if done == at:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize("rule", ["uniform", "sandwich"])
def test_a_stopped_training_resumes_to_the_same_weights(rule: str, tmp_path: Path) -> None:
    plan = replace(tiny(rule=rule), batch=256)  # four steps
    whole = train_supernet(plan, tmp_path / "whole")
    for at in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            train_supernet(plan, tmp_path / "parts", report=stopping(at))
        assert (tmp_path / "parts" / CHECKPOINT).exists()
    seen: list[int] = []
    parts = train_supernet(plan, tmp_path / "parts", report=lambda done, _total, _loss: seen.append(done))
    assert seen == [4]
    assert parts.checksum == whole.checksum
    assert not {CHECKPOINT, STARTED} & {path.name for path in (tmp_path / "parts").iterdir()}


@pytest.mark.parametrize("rule", ["uniform", "shrinking"])
def test_an_interrupt_while_weights_are_updated_keeps_no_half_step(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(tiny(rule=rule), batch=256)
    update, calls = SharedWeights.update, []

    def interrupted(self: SharedWeights, *values: Any) -> None:
        update(self, *values)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(SharedWeights, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_supernet(plan, tmp_path / "parts")
    parts = train_supernet(plan, tmp_path / "parts")
    assert parts.checksum == train_supernet(plan, tmp_path / "whole").checksum


def test_a_killed_training_resumes_from_its_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(tiny(), batch=256)
    monkeypatch.setattr(training, "SECONDS", 0.0)

    def kill(done: int, total: int, loss: float) -> None:
        if done == 3:
            raise SystemExit  # no handler writes anything

    with pytest.raises(SystemExit):
        train_supernet(plan, tmp_path / "parts", report=kill)
    seen: list[int] = []
    parts = train_supernet(plan, tmp_path / "parts", report=lambda done, _total, _loss: seen.append(done))
    assert seen == [3, 4]
    assert parts.checksum == train_supernet(plan, tmp_path / "whole").checksum


def test_a_finished_supernet_is_returned_and_another_one_is_refused(trained_folder: Path) -> None:
    found = train_supernet(tiny(), trained_folder, report=stopping(1))
    assert found.checksum == Supernet.load(trained_folder).checksum
    assert train_supernet(tiny(epochs=7), trained_folder, minutes=1.0).checksum == found.checksum
    for change in ({"epochs": 2}, {"seed": 1}, {"rule": "shrinking"}):
        with pytest.raises(InvalidValueError, match=rf"holds a different supernet \({next(iter(change))}: "):
            train_supernet(tiny(**change), trained_folder)


def test_the_minutes_of_a_stopped_training_are_those_of_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(tiny(), batch=512)
    monkeypatch.setattr(training, "epochs_within", lambda _plan, _minutes: 2)
    with pytest.raises(KeyboardInterrupt):
        train_supernet(plan, tmp_path, 5.0, stopping(1))
    monkeypatch.setattr(training, "epochs_within", lambda _plan, _minutes: 9)
    assert train_supernet(plan, tmp_path, 5.0).plan.epochs == 2


def test_a_broken_plan_is_refused(tmp_path: Path) -> None:
    (tmp_path / STARTED).write_text("{}")
    with pytest.raises(BrokenFileError, match="is not the plan of a training run"):
        train_supernet(tiny(), tmp_path)


def test_a_longer_time_gives_more_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_TIMED", 2)
    assert epochs_within(tiny(), 1e-9) == 1
    assert epochs_within(tiny(), 1_000.0) > 100
    with pytest.raises(InvalidValueError, match="above 0"):
        epochs_within(tiny(), 0.0)


def test_training_learns(tmp_path: Path) -> None:
    plan = replace(
        tiny(epochs=4, ranges={"OC0": (8, 8), "R": (1, 1), "B": (1, 1), "M": (1, 1), "WF": (1, 1)}), batch=32
    )
    losses: list[float] = []
    train_supernet(plan, tmp_path, report=lambda _done, _total, loss: losses.append(loss))
    assert losses[-1] < losses[0] - 0.1  # a running mean over many steps
    assert torch.get_num_threads() == 1


def test_cells_are_trained() -> None:
    plan = replace(Plan.of(task("digits").in_space("cells"), Hardware(), epochs=1), batch=16)
    one = training._Training(plan)
    one.advance()
    assert one.loss > 0.0
    assert set(one.weights.momenta) < set(one.weights.tensors)  # the range for images is not trained
    assert any(name.startswith("reduction2.") for name in one.weights.momenta)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(StorageError, match="cannot create the folder"):
        train_supernet(tiny(), tmp_path / "x")
