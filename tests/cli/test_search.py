from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from ohmnas.cli.found import UNITS
from ohmnas.datasets.tables.table import find_table, read_table
from ohmnas.search import STRATEGIES, SearchResult, read_result
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate import Surrogate, shipped

from .conftest import Ohmnas, Run

pytestmark = pytest.mark.timeout(240)
"""A surrogate is learned first; on a machine with other work that takes its time."""

SHORT = ("--iterations", "5", "--population", "30")


class Search(Protocol):
    """Searches with the fitted surrogate, shortly unless other words or `usual=False` say else."""

    def __call__(self, *words: object, usual: bool = True) -> Run: ...


@pytest.fixture
def search(ohmnas: Ohmnas, fitted: Path, tmp_path: Path) -> Search:
    def run(*words: object, usual: bool = True) -> Run:
        return ohmnas("search", "--surrogate", fitted, "--out", tmp_path, *(SHORT if usual else ()), *words)

    return run


def read(done: Run, folder: Path) -> SearchResult:
    """The result that a search has left behind."""
    assert done.code == 0, done.err
    return read_result(folder / "result.json")


def test_the_main_job_finds_an_architecture_within_its_limits(ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("search", "--task", "digits", "--max-params", "50k", "--max-avm", "0.02", "--out", tmp_path, *SHORT)
    assert done.code == 0
    result = read_result(tmp_path / "result.json")
    best = result.best
    assert best.params <= 50_000
    assert best.predicted["avm"] <= 0.02
    genome = np.array([best.genome], dtype=np.int16)
    assert result.space.params(genome)[0] == best.params
    for piece in ("1-day accuracy", "std", "AVM", f"{best.params:,}", f"{best.macs:,}", "ohmnas verify"):
        assert piece in done.out


def test_the_file_and_the_json_have_the_documented_form(ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("search", "--task", "digits", "--max-params", "20k", "--out", tmp_path, "--json", *SHORT)
    values = json.loads((tmp_path / "result.json").read_text("utf-8"))
    history = values["history"]
    assert done.values == {**values, "result": str(tmp_path / "result.json"), "plots": []}
    assert list(values)[:6] == ["best", "evaluations", "seconds", "seed", "constraints", "history"]
    assert set(values["best"]) == {"architecture", "genome", "params", "macs", "predicted", "interval_90", "costs"}
    assert set(values["best"]["predicted"]) == {"accuracy_1d", "accuracy_1d_std", "avm"}
    assert values["constraints"]["max_params"] == 20_000
    assert len(history) == 6


def test_the_same_seed_prints_the_same_architecture(search: Search) -> None:
    runs = [search("--max-params", "30k", "--json", "--seed", seed).values for seed in (3, 3, 4)]
    assert runs[0]["best"] == runs[1]["best"]
    assert runs[0]["history"] == runs[1]["history"] != runs[2]["history"]


def test_a_saved_surrogate_searches_like_its_table(ohmnas: Ohmnas, fitted: Path, tmp_path: Path) -> None:
    words = ("--max-params", "30k", "--json", *SHORT)
    first = ohmnas("search", "--surrogate", fitted, "--out", tmp_path / "a", *words).values
    second = ohmnas("search", "--table", "digits", "--out", tmp_path / "b", *words).values
    assert first["best"] == second["best"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--task", "mnist"), "no table is shipped for the task 'mnist'; the shipped tables are cifar10, "),
        (("--task", "digits", "--max-avm", "7"), "2 points are 0.02"),
        (("--task", "digits", "--strategy", "magic"), "unknown strategy 'magic': choose evolution, random"),
        (("--task", "digits", "--hardware", "ideal"), "no measured rows of hardware 'ideal'"),
        (("--table", "nowhere.csv"), "no table 'nowhere.csv'"),
        (("--surrogate", "nowhere"), "cannot read nowhere: there is no file with this name"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert message in ohmnas("search", *words, "--out", tmp_path).sentence
    assert not (tmp_path / "result.json").exists()


def test_an_impossible_accuracy_names_the_nearest_miss_and_keeps_the_last_result(
    search: Search, tmp_path: Path
) -> None:
    search()
    before = (tmp_path / "result.json").read_bytes()
    sentence = search("--max-params", "2k", "--floor", "0.999", "--iterations", "60").sentence
    assert "1-day accuracy (min_accuracy) of at least 0.999; the nearest has " in sentence
    assert " parameters and a predicted 1-day accuracy of " in sentence
    assert (tmp_path / "result.json").read_bytes() == before


def test_a_found_network_that_guesses_gets_a_warning(search: Search, tmp_path: Path) -> None:
    words = ("--max-params", "50k", "--max-avm", "0.0001", "--iterations", "60")
    done = search(*words, "--floor", "none")
    best = read_result(tmp_path / "result.json").best
    assert ("--floor" in done.err) == (best.predicted["accuracy_1d"] < 0.19)
    again = search(*words, "--floor", "0.8")
    assert again.code == 2 or read_result(tmp_path / "result.json").best.predicted["accuracy_1d"] >= 0.8


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["table", "json"])
def test_another_result_and_what_belongs_to_it_is_set_aside(
    json_flag: tuple[str, ...], search: Search, tmp_path: Path
) -> None:
    assert search(*json_flag).err == ""
    measured = tmp_path / "verify.json"
    measured.write_text("{}", encoding="utf-8")
    same = search(*json_flag)
    assert same.err == f"note: replaced the earlier result in {tmp_path / 'result.json'}\n"
    assert measured.exists()
    for number, seed in ((1, 1), (2, 2)):
        again = search(*json_flag, "--seed", seed)
        assert again.code == 0
        assert again.err == f"note: moved the earlier result in {tmp_path} to {tmp_path / f'earlier-{number}'}\n"
        assert read_result(tmp_path / "result.json").seed == seed
        assert read_result(tmp_path / f"earlier-{number}" / "result.json").seed == seed - 1
    assert not measured.exists()
    assert (tmp_path / "earlier-1" / "verify.json").exists()


def test_a_search_of_less_than_a_second_ends_with_what_it_has(search: Search, tmp_path: Path) -> None:
    assert search("--max-seconds", "0.001", "--iterations", "100000").code == 0
    assert 1 <= len(read_result(tmp_path / "result.json").history) <= 100_000


def test_a_broken_table_is_named(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    shutil.copy(find_table("digits"), path)
    shutil.copy(find_table("digits").with_suffix(".json"), path.with_suffix(".json"))
    text = path.read_text("utf-8").splitlines()
    text[3] = text[3].replace(",paper,", ",papier,")
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    assert "checksum" in ohmnas("search", "--table", path, "--out", tmp_path).sentence


def test_a_folder_that_cannot_be_made_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "cannot create the folder" in ohmnas("search", "--task", "digits", "--out", tmp_path / "file" / "x").sentence


def test_confident_limits_are_kept_by_the_bad_end_of_the_interval(search: Search) -> None:
    words = ("--max-params", "50k", "--max-avm", "0.05")
    found = search(*words, "--confidence", "0.95", "--json").values
    assert found["constraints"]["confidence"] == 0.95
    assert found["best"]["interval_90"]["avm"][1] <= 0.05
    assert "not a probability" in search(*words, "--confidence", "90").sentence


def test_a_front_is_of_networks_that_none_of_it_beats(search: Search) -> None:
    done = search("--pareto", "accuracy_1d,params,avm", "--max-params", "50k", "--json")
    front = done.values["front"]
    assert len(front) > 3
    assert done.values["pareto"] == ["accuracy_1d", "params", "avm"]
    losses = [[-c["predicted"]["accuracy_1d"], c["params"], c["predicted"]["avm"]] for c in front]
    for one in losses:
        beaten = [all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in losses]
        assert not any(beaten)
    least = done.values["constraints"]["min_accuracy"]
    assert 0.45 < least < 0.56
    assert min(c["predicted"]["accuracy_1d"] for c in front) >= least
    assert done.err == ""
    assert 0 < done.values["history"][-1]["hypervolume"] <= 1
    own = search("--pareto", "accuracy_1d,params", "--floor", "0.97", "--json")
    assert own.err.startswith("note: ")
    assert "moved the earlier result" in own.err
    assert min(c["predicted"]["accuracy_1d"] for c in own.values["front"]) >= 0.97


def test_a_person_sees_the_front_and_how_much_it_dominates(search: Search) -> None:
    out = search("--pareto", "accuracy_1d,tiles", "--max-params", "50k").out
    assert re.search(r"Pareto front \(accuracy_1d, tiles\): \d+ networks", out)
    assert "tiles" in out
    assert re.search(r"hypervolume: 0\.\d{4} \(share of the objective space", out)


@pytest.mark.parametrize("cost", ["tiles", "energy", "latency", "memory", "size"])
def test_limits_on_other_costs_are_kept_and_shown(cost: str, search: Search, tmp_path: Path) -> None:
    free = read(search("--max-params", "100k"), tmp_path).best.costs[cost]
    most = f"{0.9 * free:.3g}" if cost in {"energy", "latency"} else f"{0.9 * free:.0f}"
    done = search("--max-params", "100k", f"--max-{cost}", most)
    found = read(done, tmp_path)
    assert found.best.costs[cost] <= float(most) < free
    assert found.constraints[f"max_{cost}"] == float(most)
    assert all(reference.costs[cost] <= float(most) for reference in found.references)
    title, written = UNITS[cost]
    assert title in done.out
    assert written(found.best.costs[cost]) in done.out


def test_a_limit_on_the_std_is_kept(search: Search) -> None:
    found = search("--max-params", "50k", "--max-std", "0.006", "--objective", "accuracy", "--json").values
    assert found["constraints"]["max_std"] == 0.006
    assert found["best"]["predicted"]["accuracy_1d_std"] <= 0.006


def test_limits_on_targets_by_name_are_kept(search: Search, tmp_path: Path) -> None:
    words = ("--at-least", "accuracy_1d=0.8", "--at-most", "accuracy_1d_std=0.02", "--at-most", "avm=0.03")
    values = search(*words, "--json").values
    assert values["constraints"]["least"] == {"accuracy_1d": 0.8}
    assert values["constraints"]["most"] == {"accuracy_1d_std": 0.02, "avm": 0.03}
    best = read_result(tmp_path / "result.json").best.predicted
    assert best["accuracy_1d"] >= 0.8
    assert best["accuracy_1d_std"] <= 0.02
    assert best["avm"] <= 0.03
    assert search(*words, "--iterations", "1", "--resume", tmp_path / "result.json").code == 0


def test_genes_are_fixed_or_stay_within_their_ranges(search: Search) -> None:
    words = (
        "--fix",
        "KS0=3",
        "--fix",
        "B=1",
        "--fix",
        "CT2=A",
        "--range",
        "M=2:3",
        "--range",
        "R=1:2",
        "--range",
        "R1=2:4",
    )
    values = search(*words, "--top", "20", "--floor", "none", "--json").values
    assert len(values["top"]) == 20
    for candidate in values["top"]:
        found = candidate["architecture"]
        blocks = found["blocks"]
        assert found["stem_kernel"] == 3
        assert len(blocks) in {2, 3}
        assert {block["branches"] for block in blocks} == {1}
        assert blocks[1]["conv_type"] == "A"
        assert 2 <= blocks[0]["residual_blocks"] <= 4
        assert {block["residual_blocks"] for block in blocks[1:]} <= {1, 2}
    genes = values["constraints"]["genes"]
    assert genes["KS0"] == [3, 3]
    assert genes["R1"] == [2, 4]
    assert genes["R5"] == [1, 2]
    assert "OC0" not in genes


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--objective", "accuracy"), "accuracy_1d"),
        (("--objective", "ratio"), "accuracy_1d / accuracy_1d_std"),
        (
            ("--objective", "weighted", "--weight", "accuracy_1d=3", "--weight", "params=1"),
            "0.75 accuracy_1d, 0.25 params",
        ),
        (("--objective", "exponential", "--weight", "avm=1"), "exponential penalties of 1 avm"),
        (("--objective", "tchebycheff", "--weight", "macs=1", "--weight", "avm=1"), "Tchebycheff distance of 0.5 macs"),
    ],
)
def test_the_objective_is_what_the_words_say(words: tuple[str, ...], name: str, search: Search) -> None:
    values = search(*words, "--max-params", "50k", "--json").values
    assert name in values["objective"]
    if name == "accuracy_1d":
        assert values["history"][-1]["objective"] == values["best"]["predicted"]["accuracy_1d"]


def test_weights_move_what_is_found(search: Search) -> None:
    words = (
        "--objective",
        "weighted",
        "--weight",
        "accuracy_1d=1",
        "--max-params",
        "100k",
        "--iterations",
        "10",
        "--json",
    )
    light = search(*words, "--weight", "params=100").values["best"]["params"]
    assert light < search(*words, "--weight", "params=0.001").values["best"]["params"] / 2


def test_a_soft_limit_is_exceeded_only_at_a_price(search: Search) -> None:
    words = ("--max-params", "100k", "--soft", "params=10k", "--objective", "accuracy", "--iterations", "20", "--json")
    cheap = search(*words, "--penalty", "0.001").values
    dear = search(*words, "--penalty", "100").values
    assert cheap["best"]["params"] > 10_000
    assert dear["best"]["params"] <= 10_000
    assert dear["constraints"]["soft"] == {"params": 10_000}
    assert dear["constraints"]["penalty"] == 100


FEW = ("--fix", "M=1", "--fix", "KS0=3", "--range", "R=1:2", "--range", "B=1:2", "--range", "OC0=20:40")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_finds_something_within_the_limits(name: str, search: Search) -> None:
    pytest.importorskip({"nsga2": "pymoo", "bayesian": "optuna"}.get(name, "numpy"))
    words = FEW if name == "grid" else ("--iterations", "2", "--population", "10")
    few = ("--param", "startup=15") if name == "bayesian" else ()
    words = ("--strategy", name, "--max-params", "50k", "--max-avm", "0.05", *words, *few, "--json")
    done = search(*words, usual=name != "grid")
    assert done.code == 0
    assert done.err == ""
    values = done.values
    assert values["strategy"] == name
    assert values["best"]["params"] <= 50_000
    assert values["best"]["predicted"]["avm"] <= 0.05
    assert values["stopped"] == ("nothing new" if name in {"grid", "rank"} else "iterations")


def test_rank_and_grid_have_large_budgets_by_default(search: Search) -> None:
    rank = search("--strategy", "rank", "--max-params", "50k", "--floor", "none", "--json", usual=False).values
    assert rank["evaluations"] > 10_000
    grid = search("--strategy", "grid", *FEW, "--json", usual=False).values
    assert grid["stopped"] == "nothing new"
    assert len(grid["history"]) <= 2
    assert 200 < grid["evaluations"] <= 21 * 2 * 2 * 2 * 4 * 2


def test_parameters_of_the_strategy_are_kept_with_the_result(search: Search) -> None:
    words = ("--strategy", "evolution", "--param", "keep=5", "--param", "selection=tournament", "--json")
    values = search(*words).values
    assert values["parameters"] == {"keep": "5", "selection": "tournament"}
    assert values["history"] != search(*words, "--param", "keep=20").values["history"]


def test_a_search_starts_from_the_named_references_and_results(search: Search, tmp_path: Path) -> None:
    asked = ("--objective", "accuracy", "--max-params", "50k", "--floor", "none")
    first = read(search(*asked, "--iterations", "20"), tmp_path)
    (tmp_path / "before.json").write_bytes((tmp_path / "result.json").read_bytes())
    words = (*asked, "--population", "1", "--iterations", "1", "--json")
    begun = search(*words, "--start-from", tmp_path / "before.json", "--start-from", "resnet8-w8").values
    assert begun["history"][0]["objective"] > first.history[-1]["objective"] - 1e-6  # predictions are of float32
    reference = next(entry for entry in begun["references"] if entry["name"] == "resnet8-w8")
    assert reference["genome"] in begun["population"]
    assert list(first.best.genome) in begun["population"]


def test_an_unknown_starting_point_is_one_sentence(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "unknown reference network" in search("--start-from", "x" * 300).sentence
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet20").mkdir()
    assert search("--start-from", "resnet20").code == 0
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    assert "it is not a JSON object" in search("--start-from", "list.json").sentence
    assert "is a folder" in search("--resume", "resnet20").sentence


def test_fewer_diverse_networks_than_requested_are_reported(search: Search) -> None:
    done = search("--top", "1000", "--iterations", "3", "--population", "10")
    assert re.search(r"^note: found only \d+ diverse architectures, not 1000$", done.err, re.MULTILINE)


def test_a_surrogate_is_a_file(ohmnas: Ohmnas, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    sentence = ohmnas("search", "--surrogate", tmp_path / "s", "--out", tmp_path).sentence
    assert "is a folder, but a surrogate is a file: create a new one with ohmnas fit" in sentence


@pytest.mark.parametrize("words", [(), ("--hardware", "hermes"), ("--fidelity", "paper")], ids=str)
def test_the_surrogate_that_ships_is_used_and_nothing_is_fitted(
    words: tuple[str, ...], ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Surrogate, "fit", lambda *_, **__: pytest.fail("fitted"))
    done = ohmnas("search", "--task", "digits", "--out", tmp_path, "--json", *SHORT, *words)
    assert done.values["surrogate"]["hardware"] == (words[1] if "hermes" in words else "pcm")
    assert done.err == ""


def test_a_shipped_surrogate_of_another_table_is_not_used_and_a_note_is_printed(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "_checksum", lambda _: "0" * 64)
    done = ohmnas("search", "--task", "people", "--out", tmp_path, "--json", *SHORT)
    assert "was fitted to another version of the table people: fitting a new surrogate" in done.err
    assert done.values["surrogate"]["task"] == "people"


def test_a_search_with_a_shipped_surrogate_loads_only_numpy(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from ohmnas.cli.main import main\n"
        "words = ['--max-params', '50k', '--max-avm', '0.02', '--iterations', '2']\n"
        "assert main(['search', '--task', 'digits', *words, '--out', sys.argv[1], '--json']) == 0\n"
        "heavy = {'xgboost', 'sklearn', 'scipy', 'pandas', 'joblib', 'torch', 'matplotlib'}\n"
        "sys.stderr.write(str(sorted(heavy & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


def test_initial_networks_beyond_the_limits_are_dropped_with_a_note(search: Search) -> None:
    done = search("--max-params", "50k", "--start-from", "resnet18", "--start-from", "resnet8-w8", "--json")
    assert done.code == 0
    assert done.err == "note: excluded 1 of 2 initial architectures: they violate the limits\n"


def test_measured_networks_can_be_excluded(search: Search) -> None:
    table = read_table("digits").measured
    measured = {tuple(row) for row in table[list(GENE_NAMES)].to_numpy().tolist()}
    words = (
        "--max-params",
        "20k",
        "--strategy",
        "random",
        "--population",
        "50",
        "--top",
        "50",
        "--floor",
        "none",
        "--json",
    )
    begin = ("--start-from", "resnet8-w8")
    found = search(*begin, "--population", "1", "--iterations", "1", "--floor", "none", "--json").values
    assert measured & {tuple(genome) for genome in found["population"]}
    others = search(*words, *begin, "--exclude", "digits").values
    assert len(others["top"]) == 50
    assert not measured & {tuple(genome) for genome in others["population"]}
    assert not measured & {tuple(candidate["genome"]) for candidate in others["top"]}


def test_several_that_differ_come_best_first(search: Search) -> None:
    done = search("--top", "4", "--max-params", "50k", "--json")
    top = done.values["top"]
    assert len({tuple(candidate["genome"]) for candidate in top}) == 4
    assert top[0]["genome"] == done.values["best"]["genome"]
    ratio = [c["predicted"]["accuracy_1d"] / c["predicted"]["accuracy_1d_std"] for c in top]
    assert ratio == sorted(ratio, reverse=True)
    shown = search("--top", "4", "--max-params", "50k").out
    assert all(f"#{place} " in shown for place in range(1, 5))
    assert "top" not in search("--json").values


def test_restarts_take_the_best_of_all(search: Search) -> None:
    words = ("--max-params", "30k", "--iterations", "3", "--json")
    one, three = search(*words).values, search(*words, "--restarts", "3").values
    assert [entry.get("restart", 0) for entry in three["history"]] == [0] * 4 + [1] * 4 + [2] * 4
    assert three["history"][:4] == one["history"]
    assert three["history"][-1]["objective"] >= one["history"][-1]["objective"]
    assert three["evaluations"] > 2 * one["evaluations"]


def test_a_search_ends_when_nothing_better_comes_or_its_evaluations_are_used_up(search: Search) -> None:
    idle = search("--max-params", "20k", "--iterations", "5000", "--patience", "3", "--json").values
    assert idle["stopped"] == "patience"
    assert len({entry["objective"] for entry in idle["history"][-4:]}) == 1
    assert len({entry["objective"] for entry in idle["history"][-5:]}) == 2
    counted = search("--max-params", "20k", "--iterations", "5000", "--evaluations", "0.2k", "--json").values
    assert counted["stopped"] == "evaluations"
    assert counted["evaluations"] == 200
    assert "; stopped: evaluation limit" in search("--evaluations", "100").out


def test_a_search_resumes_where_it_ended(search: Search, tmp_path: Path) -> None:
    words = ("--max-params", "30k", "--max-avm", "0.05")
    first = read(search(*words), tmp_path)
    (tmp_path / "before.json").write_bytes((tmp_path / "result.json").read_bytes())
    again = read(search(*words, "--resume", tmp_path / "before.json"), tmp_path)
    assert again.history[: len(first.history)] == first.history
    assert len(again.history) == 2 * len(first.history)
    assert [entry["iteration"] for entry in again.history] == list(range(len(again.history)))
    assert again.history[len(first.history)]["objective"] > (1 - 1e-5) * first.history[-1]["objective"]
    assert again.evaluations > first.evaluations
    assert again.seconds > first.seconds


@pytest.mark.parametrize(
    ("words", "difference"),
    [
        (("--max-params", "20k"), "max_params: 30000 then, 20000 now"),
        (
            ("--max-params", "30k", "--objective", "accuracy"),
            "objective: accuracy_1d / accuracy_1d_std then, a",
        ),
        (("--max-params", "30k", "--floor", "none"), "floor: resnet8-w8 then, none now"),
        (("--max-params", "30k", "--fix", "KS0=3"), "genes: none then, {'KS0': [3, 3]} now"),
        (
            ("--max-params", "30k", "--floor", "reference", "--pareto", "params,avm"),
            "pareto: none then, params, avm now",
        ),
        (("--max-params", "30k", "--soft", "macs=100k"), "soft: none then, {'macs': 100000.0} now"),
        (("--max-params", "30k", "--at-most", "avm=0.5"), "most: none then, {'avm': 0.5} now"),
    ],
)
def test_a_search_of_another_problem_does_not_resume(
    words: tuple[str, ...], difference: str, search: Search, tmp_path: Path
) -> None:
    search("--max-params", "30k")
    done = search(*words, "--resume", tmp_path / "result.json")
    assert f"used different limits or a different objective ({difference}" in done.sentence
    assert f"use --start-from {tmp_path / 'result.json'}" in done.sentence


def test_a_search_by_another_strategy_does_not_resume(search: Search, tmp_path: Path) -> None:
    search("--max-params", "30k")
    for words, here in (
        (("--strategy", "random"), "random with default parameters"),
        (("--param", "keep=9"), "evolution with keep=9"),
    ):
        done = search("--max-params", "30k", *words, "--resume", tmp_path / "result.json")
        assert f"used the strategy evolution with default parameters; this command uses {here}; " in done.sentence


def test_a_search_with_excluded_tables_resumes_without_them(search: Search, tmp_path: Path) -> None:
    search("--max-params", "30k", "--exclude", "digits")
    words = ("--max-params", "30k", "--resume", tmp_path / "result.json")
    assert "used different --exclude tables: use the same tables to resume" in search(*words).sentence
    assert read(search(*words, "--exclude", "digits"), tmp_path).excluded == (read_table("digits").card["sha256"],)


def test_pictures_are_written_next_to_the_result_and_printed(search: Search, tmp_path: Path) -> None:
    drawn = search("--max-params", "30k", "--plots", "--json").values["plots"]
    assert drawn == [str(tmp_path / name) for name in ("convergence.png", "architecture.png")]
    done = search("--max-params", "30k", "--pareto", "params,avm", "--plots")
    for name in ("convergence.png", "architecture.png", "pareto.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert f"wrote {tmp_path / name}" in done.out


def test_ctrl_c_leaves_what_was_found_until_then(fitted: Path, tmp_path: Path) -> None:
    script = (
        "import signal, sys; from ohmnas.cli.main import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # tests that run in the background have it ignored
        "sys.exit(main())"
    )
    words = ["search", "--surrogate", str(fitted), "--iterations", "1000000", "--out", str(tmp_path)]
    reader, writer = os.openpty()  # progress is shown on terminals
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        stdout=subprocess.DEVNULL,
        stderr=writer,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(writer)
    said = b""
    while b"best objective" not in said:
        said += os.read(reader, 1000)
    os.kill(process.pid, signal.SIGINT)
    with contextlib.suppress(OSError):  # the end of a terminal
        while more := os.read(reader, 1000):
            said += more
    os.close(reader)
    assert process.wait() == 130
    assert b"Traceback" not in said
    assert b"interrupted" in said
    result = read_result(tmp_path / "result.json")
    assert result.stopped == "interrupted"
    assert result.best.params > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-params", "200"), "max_params is 200, which is less than min_params"),
        (("--max-macs", "10"), "found only 0 of"),
        (("--fix", "KS9=3"), "unknown gene 'KS9': choose OC0, KS0, M; R, B, CT, WF, skip"),
        (("--fix", "KS0=4"), "KS0 must be 3, 5, 7, not 4"),
        (("--fix", "B=13"), "B must be 1 to 12, not 13"),
        (("--fix", "B=few"), "B must be a whole number, not 'few'"),
        (("--fix", "B"), "'B' is not NAME=VALUE"),
        (("--range", "M=1"), "a range must be FROM:TO, such as M=1:3, not '1'"),
        (("--range", "M=1:9"), "M must be 1 to 5, not 1 to 9"),
        (("--range", "M=3:2"), "M must be 1 to 5, not 3 to 2"),
        (("--range", "M=:2"), "M must be a whole number, not ''"),
        (("--pareto", "accuracy_1d"), "a Pareto front needs at least two different quantities"),
        (("--pareto", "avm,avm"), "a Pareto front needs at least two different quantities"),
        (("--pareto", "accuracy_1d,price"), "unknown quantity 'price': choose accuracy_1d, accuracy_1d_std, avm"),
        (("--objective", "profit"), "unknown objective 'profit': choose ratio, accuracy, weighted"),
        (("--objective", "weighted", "--weight", "avm=1", "--weight", "avm=2"), "avm twice"),
        (("--soft", "macs=1k", "--soft", "macs=2k"), "macs twice"),
        (("--weight", "accuracy_1d=1"), "the objective ratio takes no weights; weighted, tchebycheff, exponential do"),
        (("--objective", "weighted", "--weight", "avm=much"), "the weight of avm must be a number, not 'much'"),
        (("--objective", "weighted", "--weight", "avm=0"), "the weight of avm must be above 0, not 0"),
        (("--objective", "weighted", "--weight", "avm=nan"), "the weight of avm must be above 0, not nan"),
        (("--objective", "weighted", "--weight", "price=1"), "unknown quantity 'price'"),
        (("--soft", "macs=0"), "the soft limit on macs must be above 0, not 0"),
        (("--soft", "macs=some"), "a soft limit must be a number, not 'some'"),
        (("--soft", "price=5"), "unknown quantity with a soft limit 'price': choose params, macs"),
        (("--soft", "accuracy_1d=0.9"), "unknown quantity with a soft limit 'accuracy_1d'"),
        (("--at-least", "accuracy_1y=0.8"), "unknown target 'accuracy_1y': choose accuracy_1d, accuracy_1d_std, avm,"),
        (("--at-most", "params=0.5"), "unknown target 'params': choose accuracy_1d, "),
        (("--at-least", "accuracy_1d=90"), "--at-least accuracy_1d: '90' is not a fraction from 0 to 1; 98 % is 0.98"),
        (("--at-most", "avm=low"), "--at-most avm: 'low' is not a fraction from 0 to 1"),
        (("--at-most", "avm"), "'avm' is not NAME=VALUE"),
        (("--at-most", "avm=0.1", "--at-most", "avm=0.2"), "avm twice"),
        (("--at-least", "avm=0.2", "--at-most", "avm=0.1"), "avm cannot be at least 0.2 and at most 0.1"),
        (("--pareto", "accuracy_1mo,params"), "does not predict accuracy_1mo; it predicts accuracy_1d, "),
        (
            ("--objective", "weighted", "--weight", "accuracy_1mo=1"),
            "this surrogate does not predict accuracy_1mo; it predicts accuracy_1d, accuracy_1d_std, avm",
        ),
        (("--penalty", "0"), "'0' is not a number above 0"),
        (("--penalty", "3"), "--penalty needs a soft limit: add one, such as --soft macs=500k"),
        (
            ("--max-energy", "1e-12"),
            "architectures meets all limits on costs: max_energy 1e-12; smallest energy sampled: ",
        ),
        (("--max-std", "2"), "'2' is not a fraction from 0 to 1"),
        (("--max-std", "0"), "max_std must be above 0, not 0"),
        (("--max-tiles", "0.5"), "'0.5' is not a whole number above 0"),
        (("--max-energy", "0"), "'0' is not a number above 0"),
        (("--max-latency", "fast"), "'fast' is not a number above 0"),
        (("--strategy", "grid"), "is too large: fix genes until at most 50,000,000"),
        (("--strategy", "random", "--param", "keep=3"), "the strategy random has no parameters"),
        (("--param", "kep=3"), "unknown parameter of evolution 'kep': choose keep, selection"),
        (("--param", "keep=few"), "the parameter keep of evolution must be a whole number, not 'few'"),
        (("--param", "keep=0"), "keep must be at least 1, not 0"),
        (("--start-from", "resnet9"), "unknown reference network 'resnet9': choose resnet8-w8"),
        (("--start-from", "no.json"), "cannot read no.json"),
        (("--exclude", "nothing.csv"), "no table 'nothing.csv'"),
        (("--resume", "no.json"), "cannot read no.json"),
        (("--evaluations", "0"), "'0' is not a whole number above 0"),
        (("--restarts", "0"), "'0' is not a whole number above 0"),
        (("--patience", "-1"), "'-1' is not a whole number above 0"),
        (("--top", "0"), "'0' is not a whole number above 0"),
        (("--hardware", "pcm"), "remove --hardware, --fidelity and --co-design"),
    ],
)
def test_a_wrong_flag_is_one_sentence_with_a_valid_value(
    words: tuple[str, ...], message: str, search: Search, tmp_path: Path
) -> None:
    assert message in search(*words).sentence
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("words", [("--fix", "KS9=3"), ("--max-macs", "10"), ("--floor", "1")], ids=" ".join)
def test_a_refused_search_leaves_no_folder_behind(
    words: tuple[str, ...], fitted: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "found"
    ohmnas("search", "--surrogate", fitted, "--iterations", "1", *words, "--out", out).sentence  # noqa: B018
    assert not [*tmp_path.iterdir()]


def test_results_of_another_task_are_refused(search: Search, tmp_path: Path) -> None:
    search()
    path = tmp_path / "result.json"
    values = json.loads(path.read_text("utf-8"))
    other = ResNetSpace((3, 32, 32), 100)
    for candidate in (values["best"], *values["references"]):
        table = other.layers(np.array([candidate["genome"]], dtype=np.int16))
        candidate["params"], candidate["macs"] = int(table.params()[0]), int(table.macs()[0])
    values["space"] = {"name": other.name, "input_shape": [3, 32, 32], "classes": 100}
    path.rename(tmp_path / "mine.json")
    (tmp_path / "other.json").write_text(json.dumps(values), encoding="utf-8")
    for flag in ("--start-from", "--resume"):
        sentence = search(flag, tmp_path / "other.json").sentence
        assert "is for images of (3, 32, 32) in 100 classes, but the search is for (1, 8, 8) in 10" in sentence


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fix", "KS=3"), "did you mean KS0?"),
        (("--fix", "KS0=4"), "KS0 must be 3, 5, 7, not 4"),
        (("--pareto", "accuracy,params"), "did you mean accuracy_1d?"),
        (("--strategy", "evoluton"), "did you mean evolution?"),
        (("--param", "kep=3"), "did you mean keep?"),
        (("--param", "keep=0"), "keep must be at least 1, not 0"),
        (("--strategy", "grid"), "is too large"),
        (("--soft", "mac=1k"), "did you mean macs?"),
        (("--at-least", "acuracy_1d=0.9"), "did you mean accuracy_1d?"),
        (("--at-most", "accuracy_1y_std=0.01"), "unknown target 'accuracy_1y_std'"),
        (("--objective", "weighted", "--weight", "accuracy_1y=1"), "unknown quantity 'accuracy_1y'"),
        (("--objective", "weighted", "--weight", "avm=0"), "the weight of avm must be above 0"),
        (("--max-params", "200"), "max_params is 200, which is less than min_params"),
        (("--start-from", "resnet8w8"), "did you mean resnet8-w8?"),
        (("--exclude", "people"), "is for the task 'people'"),
        (
            ("--population", "1000000000"),
            "population must be a whole number from 1 to 100,000, not 1000000000",
        ),
    ],
)
def test_wrong_values_are_found_before_anything_is_fitted(
    words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("fitted")

    monkeypatch.setattr(Surrogate, "fit", refuse)
    run = ohmnas("search", "--table", "digits", "--out", tmp_path, *words)
    assert message in run.sentence
    assert not (tmp_path / "result.json").exists()


def test_assumptions_behind_the_energy_are_printed_kept_and_must_be_repeated(search: Search, tmp_path: Path) -> None:
    limits = ("--max-energy", "1e-6", "--iterations", "3")
    done = search(*limits, "--adc-law", "zigzag", "--adc-share", "0.3", "--read-phases", "4")
    assert "that ADC energy grows with the number of bits according to the zigzag law, with 4-phase reads" in done.out
    result = read(done, tmp_path)
    assert result.constraints["conversion"] == {"law": "zigzag", "adc_share": 0.3, "phases": 4}
    again = search(*limits, "--resume", tmp_path / "result.json")
    assert again.code == 2
    assert "conversion: {'law': 'zigzag'" in again.sentence
    one_phase = read(search(*limits, "--floor", "none"), tmp_path)
    assert result.best.costs["energy"] <= 1e-6
    assert one_phase.best.costs["energy"] <= 1e-6
    assert "energy is a proxy" not in search("--iterations", "3").out
