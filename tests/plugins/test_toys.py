"""What a stranger adds: a strategy, an objective, an estimator, a technology and a task, through every command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ohmnas import Estimator, Problem, Task, search
from ohmnas.cli.main import main
from ohmnas.datasets.tables.table import read_table
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.errors import PluginError
from ohmnas.estimators import ESTIMATORS, estimator
from ohmnas.hardware import TECHNOLOGIES, Technology
from ohmnas.search.objective import Objective
from ohmnas.search.objectives import OBJECTIVES
from ohmnas.search.strategies import STRATEGIES
from ohmnas.search.strategy import Strategy
from ohmnas.testing import EstimatorContract, ObjectiveContract, StrategyContract, TaskContract, TechnologyContract

from .toys import TASK, TECHNOLOGY, PerParameter, Wandering, slimness


class TestWandering(StrategyContract):
    def make(self, problem: Problem) -> Strategy:
        return Wandering(problem)


class TestPerParameter(ObjectiveContract):
    def make(self) -> Objective:
        return PerParameter()


class TestSlimness(EstimatorContract):
    draws_nothing = True

    def make(self, seed: int) -> Estimator:
        with ESTIMATORS.registered("slimness", slimness):
            return estimator("slimness", TASK, seed)


class TestHalves(TaskContract):
    def make(self) -> Task:
        return TASK


class TestToyCells(TechnologyContract):
    def make(self) -> Technology:
        pytest.importorskip("aihwkit")
        return TECHNOLOGY


@pytest.fixture
def registered() -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(STRATEGIES.registered("wandering", Wandering))
        stack.enter_context(OBJECTIVES.registered("per-parameter", PerParameter))
        stack.enter_context(TECHNOLOGIES.registered("toy-cells", TECHNOLOGY))
        stack.enter_context(TASKS.registered("halves", TASK))
        yield


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.usefixtures("registered")
def test_they_go_through_every_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store, table, fitted, found = (str(tmp_path / name) for name in ("s.sqlite", "halves.csv", "fitted", "found"))
    of = ("--task", "halves", "--fidelity", "smoke", "--jobs", "1")
    assert main(["campaign", *of, "--hardware", "toy-cells", "--n", "12", "--store", store]) == 0
    assert main(["export-table", "--store", store, "--out", table]) == 0
    assert read_table(table).card["hardware"] == ["toy-cells"]
    assert main(["describe", "--table", table]) == 0
    assert main(["fit", "--table", table, "--out", fitted]) == 0
    how = ("--strategy", "wandering", "--param", "share=0.7", "--objective", "per-parameter")
    few = ("--iterations", "3", "--population", "30", "--floor", "none")
    assert main(["search", "--surrogate", fitted, *how, *few, "--out", found]) == 0
    result = json.loads((tmp_path / "found" / "result.json").read_text("utf-8"))
    assert (result["strategy"], result["objective"]) == ("wandering", PerParameter().name)
    words = ("--seeds", "1", "--references", "0")
    assert main(["verify", str(tmp_path / "found" / "result.json"), *of, *words]) == 0, capfd.readouterr().err
    verified = json.loads((tmp_path / "found" / "verify.json").read_text("utf-8"))
    assert (verified["hardware"], verified["task"]) == ("toy-cells", "halves")
    assert verified["networks"]["found"]["measured"]["accuracy_1d"][0] is not None


@pytest.mark.usefixtures("registered")
def test_a_strategy_is_searched_with_by_its_name() -> None:
    problem, _ = TestWandering().problem()
    assert search(problem, "wandering", 0).strategy == "wandering"


def test_an_unregistered_name_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["--strategy", "wandering"], ["--objective", "per-parameter"]):
        with pytest.raises(SystemExit, match="2"):
            main(["search", "--task", "digits", *words])
        assert f"unknown {words[0].strip('-')} '{words[1]}': choose " in capfd.readouterr().err


def test_an_error_of_a_package_is_an_error_for_people() -> None:
    assert issubclass(PluginError, ImportError)
