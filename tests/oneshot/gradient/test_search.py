from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient.search import Progress, gradient_search
from ohmnas.search.limits import Limits
from ohmnas.search.result import SearchResult, read_result, write_result

from .conftest import settings

DIGITS = task("digits").in_space("cells")


def found(limits: Limits | None = None, **others: Any) -> SearchResult:
    own = {name: others.pop(name) for name in ("snapshot", "report", "seconds") if name in others}
    return gradient_search(DIGITS, hardware("pcm"), limits or Limits(), settings(**others), 0, **own)


def test_the_result_meets_the_limits_and_survives_its_file(tmp_path: Path) -> None:
    result = found(Limits(max_params=200_000, max_energy=1e-6), weights={"latency": 0.1})
    assert result.best.params <= 200_000
    assert result.best.costs["energy"] <= 1e-6
    assert result.strategy == "gdas"
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json").to_dict() == result.to_dict()


def test_impossible_limits_are_refused_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohmnas.oneshot.gradient.search.require_training", lambda: pytest.fail("began to train"))
    with pytest.raises(InfeasibleError, match="the nearest has"):
        found(Limits(max_params=100))


def test_an_interrupted_search_resumes_with_the_same_result(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    whole, file = found(), tmp_path / "s.safetensors"
    stopped = found(snapshot=file, seconds=0.0)
    assert (stopped.stopped, len(stopped.history)) == ("seconds", 1)
    assert file.exists()
    with pytest.raises(KeyboardInterrupt):
        found(snapshot=file, report=interrupt)
    for _ in range(2):  # the second one has nothing left to train
        resumed = found(snapshot=file)
        assert (resumed.best, resumed.history, resumed.stopped) == (whole.best, whole.history, "iterations")


def test_the_file_of_another_search_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "s.safetensors"
    found(snapshot=file, seconds=0.0)
    assert found(snapshot=file, seconds=0.0, method="darts").history[0] == found(method="darts", seconds=0.0).history[0]


def test_a_resnet_is_found_within_its_limits() -> None:
    resnet = task("digits").in_space("resnet")
    small = settings(channels=8, blocks=1, weights={"macs": 0.1})
    result = gradient_search(resnet, hardware("pcm"), Limits(max_params=8_000, max_tiles=6), small, 0)
    assert result.best.params <= 8_000
    assert result.best.costs["tiles"] <= 6
    assert result.best.genome[2] == 1  # main blocks


def test_a_remedy_for_cells_is_refused_for_resnets() -> None:
    with pytest.raises(InvalidValueError, match="the remedy auxiliary is for the cells space"):
        gradient_search(task("digits"), hardware("pcm"), Limits(), settings(remedy="auxiliary", channels=8), 0)
