from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import BrokenFileError
from ohmnas.search.evolution import Evolution
from ohmnas.search.result import PREDICTED, read_result, write_result
from ohmnas.search.run import Budget, search

from .conftest import Predicted, problem


@pytest.fixture
def values() -> dict[str, Any]:
    one, _ = problem()
    result: dict[str, Any] = search(one, Evolution(one), 0, Budget(population=20, iterations=3)).to_dict()
    return result


def _write(folder: Path, values: Any) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_json_gives_the_result_back(values: dict[str, Any], tmp_path: Path) -> None:
    result = read_result(_write(tmp_path, values))
    assert json.loads(json.dumps(result.to_dict())) == json.loads(json.dumps(values))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    one, _ = problem()
    result = search(one, Evolution(one), 0, Budget(population=20, iterations=3))
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result


def test_predictors_that_know_how_sure_they_are_give_intervals(tmp_path: Path) -> None:
    one, formula = problem()
    assert "interval_90" not in search(one, Evolution(one), 0, Budget(population=20, iterations=1)).best.to_dict()

    class Sure(type(formula)):  # type: ignore[misc]
        def quantile(self, predicted: Predicted, probability: float) -> Predicted:
            low = probability < 0.5
            ends = (getattr(predicted, name) + (-0.01 if low else 0.02) for name in PREDICTED)
            return Predicted(*(np.clip(values, -1, 1) for values in ends))

    sure = replace(one, predictor=Sure())
    result = search(sure, Evolution(sure), 0, Budget(population=20, iterations=1))
    low, high = result.best.interval["avm"]
    assert (low, high) == pytest.approx((result.best.predicted["avm"] - 0.01, result.best.predicted["avm"] + 0.02))
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result


@pytest.mark.parametrize("key", ["best", "evaluations", "seconds", "seed", "constraints", "history", "space"])
def test_a_missing_key_is_named(key: str, values: dict[str, Any], tmp_path: Path) -> None:
    del values[key]
    with pytest.raises(BrokenFileError, match=f"lacks '{key}'"):
        read_result(_write(tmp_path, values))


def test_a_contradiction_is_refused(values: dict[str, Any], tmp_path: Path) -> None:
    for key, value, message in (
        ("params", 1, "parameters"),
        ("genome", [999] * 28, "gene"),
        ("genome", [], "28 genes"),
        ("genome", "x", "whole numbers"),
        ("genome", [10**30] * 28, "whole numbers"),
        ("genome", [8.5] * 28, "whole numbers"),
        ("predicted", {}, "lacks 'accuracy_1d'"),
        ("architecture", {**values["best"]["architecture"], "stem_channels": 9}, "not the same network"),
        ("architecture", None, "not the result"),
        ("interval_90", {"avm": [0.0, 0.1]}, "lacks 'accuracy_1d'"),
        ("interval_90", {key: [0.0] for key in PREDICTED}, "not the result"),
        ("interval_90", {key: [0.0, 2.0] for key in PREDICTED}, "fractions"),
    ):
        broken = {**values, "best": {**values["best"], key: value}}
        with pytest.raises(BrokenFileError, match=message):
            read_result(_write(tmp_path, broken))


@pytest.mark.parametrize(
    ("key", "value"),
    [("evaluations", float("inf")), ("seconds", "x"), ("history", [1, 2]), ("history", "abc"), ("constraints", 3)],
)
def test_values_of_another_kind_are_refused(key: str, value: object, values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="not the result of a search"):
        read_result(_write(tmp_path, {**values, key: value}))


def test_another_space_is_refused(values: dict[str, Any], tmp_path: Path) -> None:
    values["space"]["name"] = "cells-2"
    with pytest.raises(BrokenFileError, match="of the space 'cells-2'"):
        read_result(_write(tmp_path, values))


@pytest.mark.parametrize("content", ["", "{", "[]", "1", "null", '"text"', "\x00"])
def test_what_is_no_result_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"result\.json"):
        read_result(path)
