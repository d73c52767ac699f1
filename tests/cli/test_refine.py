from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli import refine as command
from ohmnas.datasets.campaign.store import Store
from ohmnas.search import Problem, SearchResult, read_result, search
from ohmnas.surrogate.surrogate import Surrogate
from tests.refine.conftest import SMALL, Line, formula

from .conftest import Ohmnas

TASK = ("refine", "--task", "digits", "--fidelity", "smoke", "--max-params", "50k", "--jobs", "1")
WORDS = (*TASK, "--rounds", "1", "--each", "4", "--first", "20", "--repeats", "1", "--objective", "accuracy")


def _quick(problem: Problem, make: str, seed: int, _: None, **others: Any) -> SearchResult:
    return search(problem, make, seed, SMALL, **others)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", formula)

    class Learned:
        def __init__(self, data: object, *_: object) -> None:
            self.model_ = Line(data)  # type: ignore[arg-type]
            self.model_.hardware = data.hardware  # type: ignore[attr-defined]
            self.model_.best_known = 0.9  # type: ignore[attr-defined]

    monkeypatch.setattr("ohmnas.refine.batch.search", _quick)
    monkeypatch.setattr(Surrogate, "learn", Learned)
    monkeypatch.setattr(Line, "space", property(lambda line: line.data.space))


def test_it_prints_the_found_network_the_references_and_the_stages(ohmnas: Ohmnas, tmp_path: Path) -> None:
    out, store = tmp_path / "found", tmp_path / "s.sqlite"
    done = ohmnas(*WORDS, "--store", store, "--out", out)
    assert done.code == 0, done.err
    for words in ("found held out", "found measured (", "found expected", "resnet8-w8 measured (", "optimism"):
        assert words in done.out
    assert "measured: 25 new training runs, 24 networks in all (including earlier ones)" in done.out
    assert f"ohmnas verify {out / 'result.json'} --task digits --fidelity smoke" in done.out
    result = read_result(out / "result.json")
    assert (result.strategy, result.evaluations) == ("refine", 25)
    again = ohmnas(*WORDS, "--store", store, "--out", out, "--json").values
    assert again["best"] == json.loads((out / "result.json").read_text("utf-8"))["best"]
    assert not list(out.glob("earlier-*"))
    (out / "result.json").write_text("[]", encoding="utf-8")
    assert ohmnas(*WORDS, "--store", store, "--out", out).code == 0
    assert read_result(out / "result.json").evaluations == 25


def test_an_interruption_prints_how_to_resume(ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", interrupted)
    done = ohmnas(*WORDS, "--store", tmp_path / "s.sqlite", "--out", tmp_path / "found")
    assert done.code == 130
    assert "run the same command to continue" in done.err
    assert (tmp_path / "found" / "refine.json").exists()


def test_other_limits_are_another_refinement_with_the_same_rows(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = (*WORDS, "--store", tmp_path / "s.sqlite", "--out", tmp_path / "found")
    ohmnas(*words)
    other = ohmnas(*words, "--max-params", "40k", "--json")
    assert "moved the earlier result" in other.err
    assert (tmp_path / "found" / "earlier-1" / "result.json").exists()
    assert other.values["evaluations"] <= 6  # no plan again
    with Store(tmp_path / "s.sqlite") as store:
        assert len(store.identities()) == 25 + other.values["evaluations"]


def test_a_table_of_another_protocol_is_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = (*WORDS, "--store", tmp_path / "s.sqlite", "--out", tmp_path / "found", "--start-from")
    sentence = ohmnas(*words, "digits").sentence
    assert "cannot start from table digits: it has no rows of pcm at fidelity smoke" in sentence
    assert "paper (protocol 3)" in sentence
    assert "it is for the task people" in ohmnas(*words, "people").sentence
    assert not (tmp_path / "s.sqlite").exists()


def test_a_shipped_table_measured_in_the_same_way_is_the_start(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("refine", "--task", "digits", "--max-params", "50k", "--jobs", "1", "--rounds", "0", "--repeats", "0")
    done = ohmnas(*words, "--store", tmp_path / "s.sqlite", "--out", tmp_path / "found", "--json")
    assert done.code == 0, done.err
    assert "rows of digits-protocol4 into" in done.err
    assert done.values["evaluations"] == 0
    assert done.values["best"]["trainings"] >= 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--max-params", "10"), "max_params is 10, but must be above 1,000"),
        (("--fidelity", "full"), "trains on the validation images"),
        (("--fix", "KS0=4"), "KS0"),
        (("--backend", "dask"), "--scheduler"),
        (("--start-from", "nothing"), "no table 'nothing'"),
        (("--hardware", "nothing"), "nothing"),
    ],
)
def test_a_wrong_value_is_one_sentence(words: tuple[str, ...], why: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    sentence = ohmnas(*WORDS, "--store", tmp_path / "s.sqlite", "--out", tmp_path / "found", *words).sentence
    assert why in sentence
    assert not (tmp_path / "s.sqlite").exists()
    assert not (tmp_path / "found").exists()
    assert command.JOURNAL == "refine.json"
