from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli import verify
from ohmnas.cli.parts import MEASURED, Parts
from ohmnas.datasets.backends import results
from ohmnas.datasets.fidelity import fidelity
from ohmnas.datasets.protocol import VERIFICATION_SEEDS
from ohmnas.search import read_result
from ohmnas.spaces.hardware import hardware

from .conftest import Ohmnas


@pytest.fixture
def result(ohmnas: Ohmnas, tmp_path: Path) -> Path:
    words = ("--max-params", "20k", "--iterations", "3", "--population", "30", "--out", tmp_path)
    assert ohmnas("search", "--task", "digits", *words).code == 0
    return tmp_path / "result.json"


def test_predicted_stands_beside_measured_for_found_and_reference(result: Path, ohmnas: Ohmnas) -> None:
    done = ohmnas("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--json")
    values = done.values
    assert values == json.loads(result.with_name("verify.json").read_text("utf-8"))
    assert list(values["networks"]) == ["found", "resnet8-w8"]
    for network in values["networks"].values():
        assert {"accuracy_1d", "accuracy_1d_std", "avm"} <= set(network["predicted"])
        assert len(network["measured"]["accuracy_1d"]) == 2
        assert network["measured"]["accuracy_1d"][0] != network["measured"]["accuracy_1d"][1]
    assert values["test_images"] == 360


def test_a_person_sees_four_lines(result: Path, ohmnas: Ohmnas) -> None:
    result.with_name("verify.json").write_text("{}", encoding="utf-8")
    done = ohmnas("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    assert "held another result; it is in" in done.err
    assert result.parent.joinpath("earlier-1", "verify.json").read_text("utf-8") == "{}"
    out = done.out
    for line in ("found predicted", "found measured", "resnet8-w8 predicted", "resnet8-w8 measured"):
        assert line in out


def test_a_verification_on_other_test_images_is_another_one(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--json")
    path = result.with_name("verify.json")
    values = ohmnas(*words).values
    path.write_text(json.dumps({**values, "test_images": 5}), encoding="utf-8")
    ohmnas(*words)
    assert json.loads(result.parent.joinpath("earlier-1", "verify.json").read_text("utf-8"))["test_images"] == 5
    assert json.loads(path.read_text("utf-8")) == values


def test_the_reference_engine_verifies_too(result: Path, ohmnas: Ohmnas) -> None:
    words = ("--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--engine", "aihwkit", "--json")
    values = ohmnas("verify", result, *words).values
    assert values["engine"] == "aihwkit"
    for network in values["networks"].values():
        assert 0 <= network["measured"]["accuracy_1d"][0] <= 1
    assert "invalid choice" in ohmnas("verify", result, "--task", "digits", "--engine", "spice").sentence


def test_trainings_that_are_done_are_not_done_again(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke")
    best = read_result(result).best
    how = ("digits", hardware("pcm"), fidelity("smoke"), "native")
    kept = dict.fromkeys(MEASURED, 0.125)
    Parts(tmp_path / "verify.parts.json", how).note(best, VERIFICATION_SEEDS, kept)
    values = ohmnas(*words, "--seeds", "2", "--json").values
    first, second = values["networks"]["found"]["measured"]["accuracy_1d"]
    assert first == 0.125
    assert second != 0.125
    assert not (tmp_path / "verify.parts.json").exists()


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trainings each verification asks for from now on."""
    asked: list[int] = []

    def counted(calls: list[Any], jobs: int) -> Iterator[Any]:
        asked.append(len(calls))
        return results(calls, jobs)

    monkeypatch.setattr(verify, "results", counted)
    return asked


def test_what_is_measured_is_kept_the_moment_it_is_there(
    result: Path, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_interrupted(calls: Iterable[Any], jobs: int) -> Iterator[Any]:
        function, words, named = next(iter(calls))
        yield function(*words, **named)
        raise KeyboardInterrupt

    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--jobs", "1", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(verify, "results", until_interrupted)
        assert ohmnas(*words).code != 0
    (done,) = json.loads((tmp_path / "verify.parts.json").read_text("utf-8")).values()
    assert len(done) == 1
    asked = _counted(monkeypatch)
    assert ohmnas(*words[:-3], "--chips", "3", *words[-3:]).code == 0  # another way to measure loses nothing of it
    assert ohmnas(*words).code == 0
    assert asked == [4, 3]
    assert not (tmp_path / "verify.parts.json").exists()
    assert json.loads((tmp_path / "verify.json").read_text("utf-8"))["chips"] == 2
    assert json.loads((tmp_path / "earlier-1" / "verify.json").read_text("utf-8"))["chips"] == 3
    assert ohmnas(*words).code == 0  # the same again replaces it
    assert sorted(path.name for path in tmp_path.glob("earlier-*")) == ["earlier-1"]


def test_a_reference_that_was_found_is_trained_once(
    result: Path, ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["best"] = {key: values["references"][0][key] for key in values["best"]}
    result.write_text(json.dumps(values), encoding="utf-8")
    asked = _counted(monkeypatch)
    words = ("--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--jobs", "1", "--json")
    networks = ohmnas("verify", result, *words).values["networks"]
    assert asked == [2]
    assert networks["found"]["measured"] == networks["resnet8-w8"]["measured"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"how": 1}', "null", '{"how": "x", "done": 3}'])
def test_parts_of_another_way_or_broken_ones_are_as_good_as_none(content: str, result: Path, tmp_path: Path) -> None:
    path, best = tmp_path / "parts.json", read_result(result).best
    Parts(path, ("a",)).note(best, 1, dict.fromkeys(MEASURED, 0.5))
    assert Parts(path, ("a",))[best, 1] == dict.fromkeys(MEASURED, 0.5)
    assert (best, 2) not in Parts(path, ("a",))
    assert (best, 1) not in Parts(path, ("b",))
    path.write_text(content, encoding="utf-8")
    assert (best, 1) not in Parts(path, ("a",))
    Parts(path, ("a",)).forget()
    assert not path.exists()


def test_workers_and_chips_are_a_choice_and_workers_change_nothing(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--json")
    assert "at least 2" in ohmnas(*words, "--chips", "1").sentence
    one = ohmnas(*words, "--chips", "3", "--jobs", "1").values
    assert one["chips"] == 3
    assert ohmnas(*words, "--chips", "3", "--jobs", "2").values == one
    assert ohmnas(*words, "--jobs", "1").values["networks"] != one["networks"]


def test_a_result_for_a_chip_of_ones_own_needs_its_file(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["surrogate"]["hardware"] = "mine"
    del values["surrogate"]["chip"]  # as older results are
    result.write_text(json.dumps(values), encoding="utf-8")
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    assert "--hardware" in ohmnas(*words).sentence
    assert "'mine', not for 'pcm'" in ohmnas(*words, "--hardware", "pcm").sentence
    chip = tmp_path / "mine.toml"
    chip.write_text('base = "hermes"\ndac_bits = 7\n', encoding="utf-8")
    assert ohmnas(*words, "--hardware", chip, "--json").values["hardware"] == "mine"


def test_a_chip_that_is_called_alike_and_is_another_is_refused(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["surrogate"]["hardware"] = "mine"
    values["surrogate"]["chip"] = {"technology": "pcm", "hw_adc_bits": 6.0}
    result.write_text(json.dumps(values), encoding="utf-8")
    chip = tmp_path / "mine.toml"
    chip.write_text("adc_bits = 5\n", encoding="utf-8")
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--hardware", chip)
    assert "with hw_adc_bits 6.0; that of" in ohmnas(*words).sentence
    chip.write_text("adc_bits = 6\n", encoding="utf-8")
    assert ohmnas(*words, "--json").values["hardware"] == "mine"


def test_another_fidelity_than_the_tables_is_not_compared_without_a_word(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    out = ohmnas(*words).out
    assert "not comparable: the surrogate learned trainings of fidelity paper, these are of smoke" in out
    assert "measured: one training, on 2 pcm chips, on the 360 test images" in out
    values = json.loads(result.read_text("utf-8"))
    values["surrogate"]["fidelity"] = "smoke"  # as if its table had been measured so
    result.write_text(json.dumps(values), encoding="utf-8")
    out = ohmnas("verify", result, "--task", "digits", "--seeds", "2").out  # the fidelity of the table, if none is said
    assert "comparable" not in out
    assert "measured: mean of 2 trainings, each on 2 pcm chips, on the 360 test images" in out
    verified = json.loads(result.with_name("verify.json").read_text("utf-8"))
    assert (verified["fidelity"], verified["predicted_fidelity"]) == ("smoke", "smoke")


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"best": {}}'])
def test_a_file_that_is_no_result_is_one_sentence(content: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    assert str(path) in ohmnas("verify", path, "--task", "digits").sentence


def test_a_genome_out_of_range_is_one_sentence(result: Path, ohmnas: Ohmnas) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["best"]["genome"][0] = 999
    result.write_text(json.dumps(values), encoding="utf-8")
    assert "gene OC0 is 999" in ohmnas("verify", result, "--task", "digits").sentence


def test_an_unknown_task_is_one_sentence(result: Path, ohmnas: Ohmnas) -> None:
    assert "no task 'mnist'" in ohmnas("verify", result, "--task", "mnist").sentence
    assert "no fidelity" in ohmnas("verify", result, "--task", "digits", "--fidelity", "x").sentence
    assert "cannot read" in ohmnas("verify", result.with_name("nothing.json"), "--task", "digits").sentence
