"""The benchmarks on public tables run, on a small made-up table."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datasets.anb import made

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    monkeypatch.syspath_prepend(BENCHMARKS)
    table = tmp_path / "made.anb"
    table.write_bytes(made(400))

    def with_words(name: str, *words: str) -> dict[str, Any]:
        benchmark = importlib.import_module(name)
        monkeypatch.setattr(sys, "argv", [name, "--table", str(table), *words, "--json"])
        benchmark.main()
        values: dict[str, Any] = json.loads(capsys.readouterr().out)
        return values

    return with_words


def test_surrogates_are_scored_on_unseen_architectures(run: Callable[..., dict[str, Any]]) -> None:
    found = run("public_surrogates", "--sizes", "40", "--draws", "1", "--models", "surrogate,ridge")
    assert found["accuracy_1d"]["40"]["tau"] > 0.3
    assert {*found} >= {"accuracy_1d", "accuracy_1d_std", "avm_60s", "rivals", "ceilings"}
    assert found["rivals"]["ridge"]["accuracy_1d"]["40"]["error"] >= 0.0


def test_isomorphs_are_never_on_both_sides(run: Callable[..., dict[str, Any]]) -> None:
    del run  # it makes the benchmark importable
    split = importlib.import_module("public_surrogates").split
    classes = np.repeat(np.arange(30), 4)
    train, test = split(classes, 20, 0)
    assert not {*classes[train]} & {*classes[test]}
    assert len(split(classes, 20, 0, shared=True)[1]) == 100


def test_strategies_are_compared_by_regret(run: Callable[..., dict[str, Any]]) -> None:
    words = (
        "--seeds",
        "2",
        "--slow-seeds",
        "1",
        "--queries",
        "40",
        "--only",
        "random,evolution,refine,pymoo,Optuna TPE",
    )
    found = run("public_strategies", *words)
    for name, row in found["methods"].items():
        regrets = [value for value, _ in row["regret"].values()]
        assert regrets == sorted(regrets, reverse=True), name
        assert regrets[-1] >= 0.0
        assert all(0.0 <= share <= 1.0 for share, _ in row["hypervolume"].values())
    assert {*found["lowest_regret"]} == {"10", "30"}
