"""What benchmarks take from earlier runs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables.table import read_table
from ohmnas.search import Limits, Problem
from ohmnas.testing.formula import SPACE, Formula

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


class Runs:
    """A benchmark in a folder, with commands that leave small files where a search and a verification would."""

    def __init__(self, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        """Load the benchmark."""
        monkeypatch.syspath_prepend(BENCHMARKS)
        self.benchmark = importlib.import_module(name)
        monkeypatch.setattr(self.benchmark, "run_ohmnas", self._run_ohmnas)
        self.name, self.folder, self.monkeypatch, self.capsys = name, folder, monkeypatch, capsys
        self.commands: list[str] = []
        self.finds = [1]
        self.accuracies: list[float | None] = [0.5, 0.75, 0.625]

    def __call__(self, *words: str) -> str:
        """What it prints; `commands` are those that it ran."""
        self.commands.clear()
        self.monkeypatch.setattr("sys.argv", [self.name, "--out", str(self.folder), *words])
        self.benchmark.main()
        return self.capsys.readouterr().out

    def _run_ohmnas(self, command: str, *words: str) -> None:
        self.commands.append(command)
        after = dict(pairwise(words))
        if command == "search":
            self._search(after, [word.split("=") for word in words if "=" in word])
        else:
            self._verify(Path(words[0]), after)

    def _search(self, after: dict[str, str], fixed: list[list[str]]) -> None:
        costs = {"energy": 1e-7, "cells": 100}
        best = {"genome": self.finds, "predicted": {"accuracy_1d": 0.5}, "params": 10, "macs": 10, "costs": costs}
        constraints: dict[str, Any] = {"max_avm": float(after["--max-avm"])}
        if "--max-params" in after:
            constraints["max_params"] = int(after["--max-params"].replace("k", "000"))
        else:
            constraints["max_energy"] = float(after["--max-energy"])
        constraints |= {"genes": {gene: [text, text] for gene, text in fixed}} if fixed else {}
        chip = {"chip": "pcm-t512-d8-a8"} if "--co-design" in after else {}
        references = [{**best, "name": "resnet8-w8", "genome": [8]}]
        result = {"best": {**best, **chip}, "references": references, "constraints": constraints}
        folder = Path(after["--out"])
        folder.mkdir(exist_ok=True)
        folder.joinpath("result.json").write_text(json.dumps(result), encoding="utf-8")

    def _verify(self, path: Path, after: dict[str, str]) -> None:
        result = json.loads(path.read_text("utf-8"))
        accuracies = [*islice(cycle(self.accuracies), int(after.get("--seeds", 3)))]
        reasons = ["diverged: the loss" if accuracy is None else "" for accuracy in accuracies]
        spreads = [accuracy and 0.01 for accuracy in accuracies]
        measured = {"accuracy_1d": accuracies, "accuracy_1d_std": spreads, "avm": spreads}
        networks = {"found": result["best"]}
        if after.get("--references") != "0":
            networks["resnet8-w8"] = result["references"][0]
        values = {
            "fidelity": after.get("--fidelity"),
            "chips": int(after["--chips"]),
            "seeds": [1_000_000 + seed for seed in range(len(accuracies))],
            "networks": {n: {**network, "measured": measured, "reasons": reasons} for n, network in networks.items()},
        }
        path.with_name("verify.json").write_text(json.dumps(values), encoding="utf-8")


@pytest.fixture(
    params=[("budgets", "--budgets", "20k", "--seeds", "3"), ("codesign", "--energies", "1e-6")], ids=lambda p: p[0]
)
def runs(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[Runs, tuple[str, ...]]:
    name, *words = request.param
    return Runs(name, tmp_path, monkeypatch, capsys), tuple(words)


def test_an_existing_measurement_of_the_same_search_is_reused(runs: tuple[Runs, tuple[str, ...]]) -> None:
    run, words = runs
    table = run(*words)
    assert set(run.commands) == {"search", "verify"}
    assert run(*words) == table
    assert run.commands == []
    for path in run.folder.glob("*/result.json"):
        path.unlink()
    run.finds = [2]
    networks = json.loads(run(*words, "--json"))
    assert set(run.commands) == {"search", "verify"}  # an old verify.json is not of what is found now
    (of_one,) = networks.values()
    assert next(iter(of_one.values()))["genome"] == [2]


def test_other_limits_are_another_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Runs("budgets", tmp_path, monkeypatch, capsys)
    run("--budgets", "20k")
    run.finds = [2]
    run("--budgets", "20k", "--max-avm", "0.05")
    assert run.commands == ["search", "verify"]
    path = tmp_path / "digits-20k" / "verify.json"
    path.write_text(path.read_text("utf-8").replace("1000002", "1000003"), encoding="utf-8")
    run("--budgets", "20k", "--max-avm", "0.05")
    assert run.commands == ["verify"]


def test_a_fixed_chip_is_searched_again_if_the_result_is_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Runs("codesign", tmp_path, monkeypatch, capsys)
    run("--energies", "1e-6")
    (path,) = tmp_path.glob("*-pcm-t512-d8-a8/result.json")
    path.write_text(path.read_text("utf-8").replace('"ADC": ["8", "8"]', '"ADC": ["7", "7"]'), encoding="utf-8")
    run("--energies", "1e-6")
    assert run.commands == ["search"]


@pytest.mark.parametrize(("accuracies", "cell"), [([0.5, None, 0.75], "62.50 ± 12.50"), ([None] * 3, " - ")])
def test_a_training_that_diverged_is_in_no_mean(
    accuracies: list[float | None], cell: str, runs: tuple[Runs, tuple[str, ...]]
) -> None:
    run, words = runs
    run.accuracies = accuracies
    out = run(*words)
    assert cell in out
    assert "nan" not in out
    assert "training 2: diverged: the loss" in out
    assert "null" in run(*words, "--json")


def test_measured_values_are_kept_as_data_that_tables_are_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Runs("budgets", tmp_path, monkeypatch, capsys)
    data = tmp_path / "results" / "budgets.json"
    for budgets in ("20k,50k", "50k"):
        out = run("--budgets", budgets, "--save", str(data))
    rows = json.loads(data.read_text("utf-8"))
    assert [(row["task"], row["budget"], row["fidelity"]) for row in rows] == [
        ("digits", "20k", "table"),
        ("digits", "50k", "table"),
    ]
    assert rows[0]["found"] == {
        "params": 10,
        "accuracy_1d": [0.5, 0.75, 0.625, 0.5, 0.75],
        "accuracy_1d_std": [0.01] * 5,
        "avm": [0.01] * 5,
    }
    assert rows[0]["reference"]["name"] == "resnet8-w8"
    assert "| at most 50k | `resnet8-w8` | 62.50 / 62.50, +0.00 |" in out  # equal in all training runs: no interval
    printed = run("--tables", str(data))
    assert "at most 20k" in printed
    assert "digits, fidelity `table`, 5 training runs" in printed


def test_stars_are_for_differences_that_survive_holm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    budgets = importlib.import_module("budgets")

    def row(budget: str, found: Sequence[float | None]) -> dict[str, Any]:
        networks = {"accuracy_1d_std": [0.01] * 5, "avm": [0.01] * 5, "params": 10}
        reference = {"name": "resnet8", "accuracy_1d": [0.5, 0.5, 0.5, 0.5, 0.5], **networks}
        rest = {"task": "digits", "budget": budget, "fidelity": "table", "reference": reference}
        return {**rest, "found": {"accuracy_1d": found, **networks}}

    sure, unsure = [0.60, 0.61, 0.60, 0.59, 0.60], [0.6, 0.5, 0.55, 0.52, 0.56]  # p 0.00001 and 0.06
    lines = budgets.tables([row("50k", sure), row("20k", unsure), row("80k", [None] * 5)]).splitlines()
    assert [line.split("|")[1].strip() for line in lines[4:]] == ["at most 20k", "at most 50k", "at most 80k"]
    assert "60.00 / 50.00, +10.00 (+9.12 to +10.88)* |" in lines[5]
    assert "*" not in lines[4]
    assert "| - / 50.00 |" in lines[6]


def _study_rows(candidate: str, seed: int, accuracies: list[float]) -> list[dict[str, Any]]:
    return [
        {
            "task": "digits",
            "candidate": candidate,
            "network": network,
            "seed": seed,
            "status": "ok",
            "accuracy_1d": accuracy,
            "accuracy_1d_std": 1 - accuracy,
            "avm": accuracy**2,
            "core_seconds": 2.0,
        }
        for network, accuracy in enumerate(accuracies)
    ]


def test_a_study_compares_a_candidate_with_the_reference_of_another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    fidelity = importlib.import_module("fidelity")
    rising = [0.1 * place for place in range(1, 9)]
    swapped = [rising[1], rising[0], *rising[2:]]  # one pair of 28: tau 26/28
    rows = _study_rows("reference", 0, rising) + _study_rows("reference", 1, swapped)
    rows += _study_rows("table", 0, rising[::-1]) + _study_rows("table", 1, rising[::-1])
    rows += _study_rows("24 epochs", 0, rising[:6]) + _study_rows("24 epochs", 1, rising[:6])
    found = fidelity.study("digits", pd.DataFrame(rows))
    assert list(found) == ["reference", "table", "24 epochs"]
    assert found["reference"]["accuracy_1d"]["tau"] == pytest.approx(26 / 28)
    assert found["table"]["accuracy_1d"]["tau"] == pytest.approx(-27 / 28)  # the mean of -1 and -26/28
    assert found["table"]["accuracy_1d_std"]["mean"] == pytest.approx(0.55)
    assert (found["24 epochs"]["networks"], found["24 epochs"]["upper"]) == (6, 1)
    assert fidelity.study("digits", pd.DataFrame(rows[16:])) == {}


def test_ceilings_are_of_networks_measured_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    ceilings = importlib.import_module("ceilings")
    found = ceilings.ceilings(read_table("digits").select("pcm"))
    assert found["all"]["pairs"] == 48
    assert found["best 40 %"]["pairs"] < 48
    for part in found.values():
        for label in ceilings.LABELS:
            assert 0.0 < part[label]["tau"] < part[label]["ceiling"] < 1.0
            assert 0.0 < part[label]["noise"] < 1.0


def test_the_studied_networks_stay_those_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    fidelity = importlib.import_module("fidelity")
    monkeypatch.setattr(fidelity, "FILE", tmp_path / "none.csv")
    drawn = fidelity.networks("digits")
    assert len({tuple(genome) for genome in drawn.tolist()}) == fidelity.NETWORKS["digits"]
    backwards = [" ".join(map(str, genome)) for genome in drawn[::-1].tolist()]
    frame = pd.DataFrame({"task": "digits", "network": range(len(backwards)), "genome": backwards})
    frame.assign(candidate="reference", seed=0).to_csv(tmp_path / "none.csv", index=False)
    assert (fidelity.networks("digits") == drawn[::-1]).all()


def test_early_stopping_is_judged_by_seconds_and_by_the_best_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    curves = importlib.import_module("curves")
    accuracy, seconds = np.array([0.5, 0.75, 1.0, 0.25]), np.array([[1.0, 4.0]] * 4)
    order = np.arange(4)
    shares, regret = curves._undisturbed(accuracy, seconds[:, 1], [order])
    assert regret[np.searchsorted(shares, 0.25 + 1e-9) - 1] == 50.0
    assert regret[-1] == 0.0
    judged = curves._judged([np.array([0, 1, 0, 0])], [order], seconds, accuracy, (shares, regret))
    assert judged["core_seconds"] == pytest.approx(7.0 / 16.0, abs=1e-4)
    assert (judged["finds_the_best"], judged["regret"]) == (0.0, 25.0)
    assert judged["equal_regret"] == pytest.approx(0.5)
    assert curves._asha(np.array([[0.9], [0.1], [0.5], [0.95]]), 2).tolist() == [1, 0, 1, 1]


def test_the_gradient_of_the_controller_is_that_of_its_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    controller = importlib.import_module("controller")
    problem = Problem(SPACE, Formula(), Limits(max_params=50_000))
    one = controller.Controller(problem, hidden=4, entropy=0.0)
    rng = np.random.default_rng(0)
    one._begin(rng)
    one._weights = {name: weight.astype(np.float64) for name, weight in one._weights.items()}
    one._weights["V"] = rng.normal(0.0, 0.3, one._weights["V"].shape)
    letters, advantage = one._alphabet.read(problem.sample(4, rng)), rng.normal(size=4)

    def likelihood() -> float:
        state, before, total = np.zeros((4, 4)), np.full(4, controller.MOST), 0.0
        for gene in range(problem.genes):
            state, _ = one._cell(one._weights["E"][gene, before], state)
            shares, here = one._shares(gene, state), letters[:, gene] >= 0
            logs = np.log(shares[np.arange(4), np.maximum(letters[:, gene], 0)])
            total += float((advantage * logs)[here].sum())
            before = np.where(here, letters[:, gene], controller.MOST)
        return total

    for name, gradient in one.gradient(letters, advantage).items():
        place = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
        ends = []
        for step in (1e-5, -2e-5, 1e-5):
            one._weights[name][place] += step
            ends.append(likelihood())
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(gradient[place], rel=1e-3), name
