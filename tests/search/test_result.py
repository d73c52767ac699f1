from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import BrokenFileError, StorageError
from ohmnas.search.limits import Limits
from ohmnas.search.objective import WeightedSum
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult, read_result, write_result
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Evolution
from ohmnas.spaces.bounds import Bounds
from ohmnas.targets import DEFAULT_NAMES

from .conftest import CHIP, SPACE, Monthly, Sure, problem

SHORT = Budget(population=20, iterations=3)
NEW_KEYS = ("stopped", "parameters", "top", "front", "pareto", "population")


@cache
def plain() -> SearchResult:
    """As a search without any option gives it."""
    return search(problem()[0], Evolution, 0, SHORT)


@cache
def full() -> SearchResult:
    """As a search with all options gives it."""
    limits = Limits(max_params=50_000, max_std=0.1, min_accuracy=0.4, confidence=0.6, soft={"tiles": 8.0})
    objective = WeightedSum({"accuracy_1d": 2, "macs": 1})
    bounds = Bounds.of(SPACE.genes, {"M": (1, 3), "KS0": (3, 5)})
    one = Problem(SPACE, Sure(), limits, objective, bounds, ("accuracy_1d", "macs", "energy"), CHIP)
    result = search(one, Evolution, 0, SHORT, restarts=2, top=4)
    return replace(result, strategy="evolution", parameters={"keep": 40, "selection": "tournament"})


@pytest.fixture
def values() -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(full().to_dict()))
    return copy


def _write(folder: Path, values: Any) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


@pytest.mark.parametrize("make", [plain, full])
def test_a_written_result_reads_back_equal(make: Any, tmp_path: Path) -> None:
    result: SearchResult = make()
    write_result(tmp_path / "result.json", result)
    again = read_result(tmp_path / "result.json")
    assert again == result
    np.testing.assert_array_equal(again.population, result.population)
    assert again.population.dtype == np.int16
    assert json.dumps(again.to_dict()) == json.dumps(result.to_dict())


def test_a_full_result_has_all_that_was_asked_for() -> None:
    result = full()
    assert len(result.top) == 4
    assert result.top[0] == result.best
    assert len(result.front) > 1
    assert result.pareto == ("accuracy_1d", "macs", "energy")
    assert {"size", "memory", "tiles", "cells", "energy", "latency"} == result.best.costs.keys()
    assert result.best.interval.keys() == set(DEFAULT_NAMES)
    assert result.constraints["genes"] == {"M": [1, 3], "KS0": [3, 5]}
    assert result.constraints["soft"] == {"tiles": 8.0}
    assert result.objective == "weighted sum of 0.667 accuracy_1d, 0.333 macs"
    assert {"hypervolume", "restart"} <= result.history[-1].keys()
    assert next(iter(result.to_dict())) == "best"


def test_limits_and_estimates_of_any_target_are_kept(tmp_path: Path) -> None:
    limits = Limits(max_params=50_000, least={"accuracy_1mo": 0.4}, most={"accuracy_1h_std": 0.02})
    result = search(Problem(SPACE, Monthly(), limits), Evolution, 0, SHORT)
    write_result(tmp_path / "result.json", result)
    again = read_result(tmp_path / "result.json")
    assert again == result
    assert again.constraints["least"] == {"accuracy_1mo": 0.4}
    assert again.constraints["most"] == {"accuracy_1h_std": 0.02}
    assert again.best.predicted["accuracy_1mo"] >= 0.4
    assert again.best.predicted.keys() == {one.name for one in Monthly().targets}
    assert again.history[-1].keys() >= again.best.predicted.keys()


def test_references_say_which_limits_on_any_target_they_miss(tmp_path: Path) -> None:
    plain_ones = search(Problem(SPACE, Monthly(), Limits(max_params=50_000)), Evolution, 0, SHORT).references
    least = max(reference.predicted["accuracy_1mo"] for reference in plain_ones)
    limits = Limits(max_params=50_000, least={"accuracy_1mo": least})
    result = search(Problem(SPACE, Monthly(), limits), Evolution, 0, SHORT)
    write_result(tmp_path / "result.json", result)
    for reference in read_result(tmp_path / "result.json").references:
        missed = reference.predicted["accuracy_1mo"] < least
        assert reference.misses == (("min_accuracy_1mo",) if missed else ())
    assert any(reference.misses for reference in result.references)


def test_a_plain_result_does_not_have_what_was_not_asked_for() -> None:
    assert not {"top", "front", "pareto", "parameters"} & plain().to_dict().keys()
    assert "interval_90" not in plain().best.to_dict()


def test_files_of_before_are_read(values: dict[str, Any], tmp_path: Path) -> None:
    for key in NEW_KEYS:
        del values[key]
    for candidate in (values["best"], *values["references"]):
        del candidate["costs"], candidate["interval_90"]
    result = read_result(_write(tmp_path, values))
    assert result.best.genome == full().best.genome
    assert result.best.costs == {}
    assert (result.stopped, result.parameters, result.top, result.front, result.pareto) == (
        "iterations",
        {},
        [],
        [],
        (),
    )
    assert result.population.shape == (0, 28)


@pytest.mark.parametrize(
    "key",
    ["best", "evaluations", "seconds", "seed", "constraints", "history", "space", "strategy", "objective", "surrogate"],
)
def test_a_missing_key_is_named(key: str, values: dict[str, Any], tmp_path: Path) -> None:
    del values[key]
    with pytest.raises(BrokenFileError, match=f"lacks '{key}'"):
        read_result(_write(tmp_path, values))


@pytest.mark.parametrize("where", ["best", "top", "front", "references"])
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("params", 1, "parameters"),
        ("genome", [999] * 28, "gene"),
        ("genome", [8.5] * 28, "whole numbers"),
        ("predicted", {}, "has no predictions"),
        ("predicted", {"speed": 0.5}, "unknown target 'speed': choose accuracy_1d"),
        ("architecture", None, "not a search result"),
        ("interval_90", {"avm": [0.0, 0.1]}, "lacks 'accuracy_1d'"),
        ("interval_90", {name: [0.0] for name in DEFAULT_NAMES}, "not a search result"),
        ("costs", {"size": -1}, "costs must be numbers, 0 or more"),
        ("costs", None, "not a search result"),
        ("costs", ["size"], "not a search result"),
        ("costs", {"size": "5"}, "its size is '5', not a finite number"),
        ("costs", {"size": True}, "its size is True"),
        ("predicted", {**dict.fromkeys(DEFAULT_NAMES, 0.5), "avm": "0.5"}, "its avm is '0.5'"),
        ("predicted", [], "its predicted is "),
        ("name", 3, "its reference's name is 3"),
        ("name", "\x1b[2J", "printable characters"),
        ("misses", "max_std", "its misses is not a list"),
        ("misses", [1], "its misses is 1"),
        ("genome", {"a": 1}, "its genome is not a list"),
    ],
)
def test_a_contradiction_is_refused_in_any_candidate(
    where: str, key: str, value: object, message: str, values: dict[str, Any], tmp_path: Path
) -> None:
    candidate = values[where] if where == "best" else values[where][-1]
    candidate[key] = value
    with pytest.raises(BrokenFileError, match=message):
        read_result(_write(tmp_path, values))


GENERATION = {"iteration": 0, "evaluations": 20, "objective": 1.0, **dict.fromkeys(DEFAULT_NAMES, 0.1)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("evaluations", float("inf")),
        ("evaluations", None),
        ("evaluations", -1),
        ("evaluations", True),
        ("evaluations", "5"),
        ("evaluations", 5.5),
        ("seconds", -1.0),
        ("seconds", "1"),
        ("seconds", 10**400),
        ("seed", -1),
        ("seed", 0.5),
        ("constraints", []),
        ("constraints", {"max_params": "x"}),
        ("constraints", {"max_params": float("nan")}),
        ("constraints", {"soft": [1]}),
        ("constraints", {"soft": {"macs": "x"}}),
        ("constraints", {"genes": {"M": 3}}),
        ("constraints", {"genes": {"M": [1, []]}}),
        ("constraints", {"genes": {"M": [1]}}),
        ("strategy", 3),
        ("strategy", "\x1b[2J"),
        ("objective", None),
        ("stopped", []),
        ("parameters", []),
        ("parameters", {"keep": []}),
        ("excluded", "x"),
        ("excluded", [1]),
        ("surrogate", {"task": 3}),
        ("surrogate", {"task": "../x"}),
        ("surrogate", {"hardware": "\x1b[2J"}),
        ("surrogate", {"hardware": ["pcm"]}),
        ("surrogate", {"fidelity": []}),
        ("surrogate", {"rows": "many"}),
        ("surrogate", {"chip": "x"}),
        ("surrogate", {"chip": {"hw_g_max": []}}),
        ("surrogate", {"seen": 3}),
        ("surrogate", {"other": [1]}),
        ("seconds", "x"),
        ("seed", []),
        ("constraints", 3),
        ("surrogate", "pcm"),
        ("parameters", 5),
        ("history", [1, 2]),
        ("history", "abc"),
        ("history", {}),
        ("history", [{}]),
        ("history", [{**GENERATION, "objective": "large"}]),
        ("history", [{**GENERATION, "avm": float("nan")}]),
        ("history", [{**GENERATION, "hypervolume": "x"}]),
        ("history", [{**GENERATION, "restart": None}]),
        ("top", {}),
        ("top", "best"),
        ("top", [None]),
        ("front", {}),
        ("front", 3),
        ("front", ["network"]),
        ("references", {}),
        ("references", None),
        ("pareto", "avm"),
        ("pareto", ["avm"]),
        ("pareto", ["avm", "speed"]),
        ("pareto", ["avm", 3]),
        ("pareto", ["avm", ["macs"]]),
        ("pareto", []),
        ("population", {}),
        ("population", "none"),
        ("population", 5),
        ("population", [1, 2, 3]),
        ("population", [[8, 3, 1]]),
        ("population", [[0] * 28]),
        ("population", [[8.0, 3, 1, 1, 1, 1, 1, 1] + [0] * 20]),
        ("population", [[8, 3, 1, 1, 1, 1, 1, 1] + [0] * 19 + [1]]),
        ("population", [[8, 3, 1, 1, 1, 1, 1, 1] + [0] * 20, [8, 3]]),
        ("population", [[10**30] * 28]),
        ("population", [["8"] * 28]),
        ("population", [None]),
    ],
)
def test_values_of_another_kind_are_refused(key: str, value: object, values: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="not a search result"):
        read_result(_write(tmp_path, {**values, key: value}))


def test_a_canonical_population_is_read(values: dict[str, Any], tmp_path: Path) -> None:
    rows = [[8, 3, 1, 1, 1, 1, 1, 1] + [0] * 20]
    assert read_result(_write(tmp_path, {**values, "population": rows})).population.tolist() == rows
    assert read_result(_write(tmp_path, {**values, "population": []})).population.shape == (0, 28)


def test_another_space_is_refused(values: dict[str, Any], tmp_path: Path) -> None:
    for space, message in (
        ({**values["space"], "name": "cells-2"}, "unknown space 'cells-2'"),
        ({**values["space"], "input_shape": [8, 8]}, "not a search result"),
        ({**values["space"], "classes": None}, "not a search result"),
        ([], "not a search result"),
        ({}, "lacks 'name'"),
    ):
        with pytest.raises(BrokenFileError, match=message):
            read_result(_write(tmp_path, {**values, "space": space}))


@pytest.mark.parametrize("content", ["", "{", "[]", "1", "null", '"text"', "\x00", "[" * 100_000])
def test_invalid_results_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BrokenFileError, match=r"result\.json"):
        read_result(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match=r"cannot read .*: there is no file with this name"):
        read_result(tmp_path / "result.json")
    with pytest.raises(StorageError, match="No such file or directory"):
        write_result(tmp_path / "no" / "result.json", plain())


def test_numbers_of_numpy_are_written_and_a_path_may_be_a_text(tmp_path: Path) -> None:
    result = plain()
    best = replace(result.best, genome=tuple(np.array(result.best.genome)), params=np.int64(result.best.params))  # type: ignore[arg-type]
    numbers = replace(result, best=best, seed=np.int64(0), evaluations=np.int32(result.evaluations))  # type: ignore[arg-type]
    write_result(str(tmp_path / "result.json"), numbers)
    again = read_result(str(tmp_path / "result.json"))
    assert again == result
    assert type(again.seed) is int
