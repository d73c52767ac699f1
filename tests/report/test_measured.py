from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ohmnas.errors import BrokenFileError
from ohmnas.report.measured import read_measurement
from ohmnas.search.result import read_result


def test_means_and_errors_leave_out_diverged_trainings(front: Path) -> None:
    result = read_result(front / "result.json")
    measured = read_measurement(front / "verify.json", result.space)
    network = measured.networks["found"]
    values = network.finite("accuracy_1d")
    assert len(values) == 2
    assert network.mean("accuracy_1d") == pytest.approx(sum(values) / 2)
    assert network.error("accuracy_1d") == pytest.approx(abs(values[0] - values[1]) / 2)
    assert network.mean("accuracy_1h") is None
    assert network.error("accuracy_1h") is None
    assert [(one.target, one.p) for one in measured.differences] == [("accuracy_1d", 0.02), ("accuracy_digital", None)]
    assert (measured.trainings, measured.chips, measured.test_images) == (3, 25, 360)


def _without(values: dict[str, Any]) -> None:
    del values["networks"]


def _too_few(values: dict[str, Any]) -> None:
    values["networks"]["found"]["measured"]["avm"] = [0.1]


def _text(values: dict[str, Any]) -> None:
    values["networks"]["found"]["measured"]["avm"] = ["<b>", None, None]


def _large(values: dict[str, Any]) -> None:
    values["networks"]["found"]["measured"]["avm"] = [98.0, 98.0, 98.0]


def _name(values: dict[str, Any]) -> None:
    values["networks"]["\x1b[2J"] = values["networks"]["found"]


def _genome(values: dict[str, Any]) -> None:
    values["networks"]["found"]["genome"] = [1, 2, 3.5]


def _difference(values: dict[str, Any]) -> None:
    values["differences"]["found"]["resnet"] = {"avm": {"mean": "<b>", "low": 0, "high": 0, "p": 0}}


def _list(values: dict[str, Any]) -> None:
    values["networks"] = []


@pytest.mark.parametrize("harm", [_without, _too_few, _text, _large, _name, _list, _genome, _difference])
def test_a_broken_file_is_one_sentence(harm: Callable[[dict[str, Any]], None], front: Path, tmp_path: Path) -> None:
    values = json.loads((front / "verify.json").read_text("utf-8"))
    harm(values)
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"verify\.json is not a verification: "):
        read_measurement(path, read_result(front / "result.json").space)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_junk_is_one_sentence(text: str, front: Path, tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenFileError):
        read_measurement(path, read_result(front / "result.json").space)
