from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.table import find_table
from ohmnas.search import read_result

from .conftest import Ohmnas

SHORT = ("--iterations", "5", "--population", "30")


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
    assert done.values == {**values, "result": str(tmp_path / "result.json")}
    assert list(values)[:6] == ["best", "evaluations", "seconds", "seed", "constraints", "history"]
    assert set(values["best"]) == {"architecture", "genome", "params", "macs", "predicted", "interval_90"}
    assert set(values["best"]["predicted"]) == {"accuracy_1d", "accuracy_1d_std", "avm"}
    assert values["constraints"]["max_params"] == 20_000
    assert len(history) == 6


def test_the_same_seed_prints_the_same_architecture(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("search", "--task", "digits", "--max-params", "30k", "--json", *SHORT)
    runs = [ohmnas(*words, "--seed", seed, "--out", tmp_path / str(i)).values for i, seed in enumerate((3, 3))]
    assert runs[0]["best"] == runs[1]["best"]
    assert read_result(tmp_path / "0" / "result.json").history == read_result(tmp_path / "1" / "result.json").history


def test_a_saved_surrogate_searches_like_its_table(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert ohmnas("fit", "--table", "digits", "--out", tmp_path / "s").code == 0
    words = ("--max-params", "30k", "--json", *SHORT)
    first = ohmnas("search", "--surrogate", tmp_path / "s", "--out", tmp_path / "a", *words).values
    second = ohmnas("search", "--table", "digits", "--out", tmp_path / "b", *words).values
    assert first["best"] == second["best"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--task", "mnist"), "no table is shipped for the task 'mnist'; there is one for digits"),
        (("--task", "digits", "--max-params", "200"), "max_params is 200, but the smallest"),
        (("--task", "digits", "--max-avm", "7"), "2 percentage points are 0.02"),
        (("--task", "digits", "--strategy", "magic"), "no strategy 'magic'; there is evolution"),
        (("--task", "digits", "--hardware", "ideal"), "no measured rows of hardware 'ideal'"),
        (("--table", "nowhere.csv"), "no table 'nowhere.csv'"),
        (("--surrogate", "nowhere"), "nowhere holds no surrogate"),
        (("--task", "digits", "--max-macs", "10"), "found only 0 of"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert message in ohmnas("search", *words, "--out", tmp_path).sentence
    assert not (tmp_path / "result.json").exists()


def test_an_impossible_accuracy_names_the_nearest_miss_and_keeps_the_last_result(
    ohmnas: Ohmnas, tmp_path: Path
) -> None:
    ohmnas("search", "--task", "digits", "--out", tmp_path, *SHORT)
    before = (tmp_path / "result.json").read_bytes()
    words = ("--max-params", "2k", "--min-accuracy", "0.999", "--iterations", "60", "--population", "20")
    sentence = ohmnas("search", "--task", "digits", *words, "--out", tmp_path).sentence
    assert "1-day accuracy of at least 0.999; the nearest has AVM" in sentence
    assert (tmp_path / "result.json").read_bytes() == before


def test_a_found_network_that_guesses_is_not_found_without_a_word(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--max-params", "50k", "--max-avm", "0.0001", "--out", tmp_path, "--population", "30")
    done = ohmnas("search", "--task", "digits", *words, "--iterations", "60")
    best = read_result(tmp_path / "result.json").best
    assert ("--min-accuracy" in done.err) == (best.predicted["accuracy_1d"] < 0.2)
    again = ohmnas("search", "--task", "digits", *words, "--iterations", "60", "--min-accuracy", "0.8")
    assert again.code == 2 or read_result(tmp_path / "result.json").best.predicted["accuracy_1d"] >= 0.8


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["table", "json"])
def test_a_result_that_replaces_another_says_so(json_flag: tuple[str, ...], ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("search", "--task", "digits", "--out", tmp_path, *SHORT, *json_flag)
    assert ohmnas(*words).err == ""
    again = ohmnas(*words, "--seed", "1")
    assert again.code == 0
    assert again.err == f"note: {tmp_path / 'result.json'} replaced the result of an earlier run\n"
    assert read_result(tmp_path / "result.json").seed == 1


def test_a_search_of_less_than_a_second_ends_with_what_it_has(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--max-seconds", "0.001", "--iterations", "100000", "--out", tmp_path)
    assert ohmnas("search", "--task", "digits", *words).code == 0
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
    assert "cannot make the folder" in ohmnas("search", "--task", "digits", "--out", tmp_path / "file" / "x").sentence


def test_confident_limits_are_kept_by_the_bad_end_of_the_interval(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("search", "--task", "digits", "--max-params", "50k", "--max-avm", "0.05", "--out", tmp_path, *SHORT)
    found = ohmnas(*words, "--confidence", "0.95", "--json").values
    assert found["constraints"]["confidence"] == 0.95
    assert found["best"]["interval_90"]["avm"][1] <= 0.05
    assert "not a probability" in ohmnas(*words, "--confidence", "90").sentence
