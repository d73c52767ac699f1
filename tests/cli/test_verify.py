from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ohmnas.datasets.campaign import verify
from ohmnas.datasets.campaign.backends import results
from ohmnas.datasets.campaign.checkpoint import MEASURED
from ohmnas.datasets.campaign.measure import train_network
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tasks.data import TaskData
from ohmnas.errors import DivergedError

from .conftest import Ohmnas


@pytest.fixture
def result(ohmnas: Ohmnas, tmp_path: Path) -> Path:
    words = ("--max-params", "20k", "--iterations", "3", "--population", "30", "--out", tmp_path)
    assert ohmnas("search", "--task", "digits", *words).code == 0
    return tmp_path / "result.json"


def test_predicted_and_measured_values_are_shown_for_found_and_reference(result: Path, ohmnas: Ohmnas) -> None:
    done = ohmnas("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--json")
    values = done.values
    assert values == json.loads(result.with_name("verify.json").read_text("utf-8"))
    assert list(values["networks"]) == ["found", "resnet8-w8"]
    for network in values["networks"].values():
        assert {"accuracy_1d", "accuracy_1d_std", "avm"} <= set(network["predicted"])
        assert len(network["measured"]["accuracy_1d"]) == 2
        assert network["measured"]["accuracy_1d"][0] != network["measured"]["accuracy_1d"][1]
    assert values["test_images"] == 360


def test_the_trained_networks_are_kept(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--jobs", "1")
    foreign = result.parent / "networks" / "resnet8-w8-smoke-0-2"
    foreign.mkdir(parents=True)
    (foreign / "network.json").write_bytes(b"\xff")
    values = ohmnas(*words, "--json").values
    assert values["networks"]["found"]["weights"] == ["networks/found-smoke-0"]
    kept = TrainedNetwork.load(result.parent / "networks" / "resnet8-w8-smoke-0")
    assert kept.name == "resnet8-w8"
    measured = values["networks"]["resnet8-w8"]["measured"]
    assert kept.provenance["measured"]["accuracy_1d"] == measured["accuracy_1d"][0]
    assert ohmnas(*words, "--chips", "3").out.count("trained networks: ") == 1  # the same weights, measured otherwise
    assert TrainedNetwork.load(result.parent / "networks" / "found-smoke-0-2").provenance["chips"] == 3
    assert TrainedNetwork.load(result.parent / "networks" / "resnet8-w8-smoke-0-3").provenance["chips"] == 3
    assert (foreign / "network.json").read_bytes() == b"\xff"


def test_picked_networks_are_compared_with_the_reference(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--jobs", "1")
    done = ohmnas(*words, "--pick", "resnet14-w8", "--top", "1", "--json")
    values = done.values
    assert list(values["networks"]) == ["resnet14-w8", "top:1", "resnet8-w8"]
    assert {name: list(others) for name, others in values["differences"].items()} == {
        "resnet14-w8": ["resnet8-w8"],
        "top:1": ["resnet8-w8"],
    }
    change = values["differences"]["top:1"]["resnet8-w8"]["accuracy_1d"]
    one, other = (values["networks"][name]["measured"]["accuracy_1d"] for name in ("top:1", "resnet8-w8"))
    assert change["mean"] == pytest.approx(sum(one) / 2 - sum(other) / 2)
    assert change["low"] < change["mean"] < change["high"]
    parts = [values["networks"]["top:1"]["measured"][f"spread_{part}"][0] for part in ("flips", "read", "chip")]
    assert all(-1.0 < part < 1.0 for part in parts)
    out = ohmnas(*words, "--pick", "resnet14-w8", "--top", "1").out
    assert "resnet14-w8 - resnet8-w8" in out
    assert "resnet14-w8 predicted" not in out
    assert "from flips of single images" in out
    assert "no network 'resnet15'" in ohmnas(*words, "--pick", "resnet15").sentence


def test_a_person_sees_four_lines(result: Path, ohmnas: Ohmnas) -> None:
    result.with_name("verify.json").write_text("{}", encoding="utf-8")
    done = ohmnas("verify", result.parent, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    assert "moved the earlier result" in done.err
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


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many training runs each verification asks for from now on."""
    asked: list[int] = []

    def counted(calls: list[Any], jobs: int) -> Iterator[Any]:
        asked.append(len(calls))
        return results(calls, jobs)

    monkeypatch.setattr(verify, "results", counted)
    return asked


def test_each_measurement_is_saved_at_once(
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
    assert json.loads((tmp_path / "verify.json").read_text("utf-8"))["chips"] == 2
    assert json.loads((tmp_path / "earlier-1" / "verify.json").read_text("utf-8"))["chips"] == 3
    assert ohmnas(*words).code == 0  # the same again replaces it, and trains nothing
    assert asked == [4, 3, 0]
    assert sorted(path.name for path in tmp_path.glob("earlier-*")) == ["earlier-1"]


def _accuracies(path: Path) -> dict[int, float]:
    """Of the found network in a verify.json: seed of the training -> accuracy."""
    values = json.loads(path.read_text("utf-8"))
    return dict(zip(values["seeds"], values["networks"]["found"]["measured"]["accuracy_1d"], strict=True))


def test_more_trainings_add_to_those_that_are_done_and_no_measurement_is_lost(
    result: Path, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--references", "0", "--jobs", "1")
    asked, path = _counted(monkeypatch), tmp_path / "verify.json"
    assert ohmnas(*words, "--seeds", "2").code == 0
    two = _accuracies(path)
    assert ohmnas(*words, "--seeds", "3").code == 0
    assert asked == [2, 1]
    three = _accuracies(path)
    assert two.items() < three.items()
    assert not (tmp_path / "earlier-1").exists()  # all that stood there stands there still
    assert ohmnas(*words, "--seeds", "1").code == 0
    assert _accuracies(tmp_path / "earlier-1" / "verify.json") == three
    assert ohmnas(*words, "--seeds", "1", "--seed", "2").code == 0
    assert _accuracies(path) == {VERIFICATION_SEEDS + 2: three[VERIFICATION_SEEDS + 2]}
    assert _accuracies(tmp_path / "earlier-2" / "verify.json").keys() == {VERIFICATION_SEEDS}
    assert asked == [2, 1, 0, 0]


def test_other_images_of_the_same_task_are_measured_again(
    result: Path, ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--references", "0", "--seeds", "1")
    asked = _counted(monkeypatch)
    ohmnas(*words, "--jobs", "1")
    digits = Protocol.data

    def mirrored(protocol: Protocol) -> TaskData:
        data = digits(protocol)
        return replace(data, test=replace(data.test, images=data.test.images[..., ::-1].copy()))

    monkeypatch.setattr(Protocol, "data", mirrored)
    ohmnas(*words, "--jobs", "1")
    assert asked == [1, 1]


def _trained_unless(monkeypatch: pytest.MonkeyPatch, ends_otherwise: Callable[[int], bool], epochs: int | None) -> None:
    """From now on training runs with some seeds diverge, or end after `epochs` if that is given."""

    def trained(protocol: Any, genome: Any, chip: Any, seed: int) -> Any:
        if not ends_otherwise(seed):
            return train_network(protocol, genome, chip, seed)
        if epochs is None:
            raise DivergedError("the loss was not finite in epoch 3 of 24")
        network, training = train_network(protocol, genome, chip, seed)
        return network, replace(training, losses=training.losses[:1] * epochs)

    monkeypatch.setattr(verify, "train_network", trained)


def test_a_diverged_training_is_excluded_from_the_means_and_reported(
    result: Path, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trained_unless(monkeypatch, lambda seed: seed == VERIFICATION_SEEDS + 1, None)
    asked = _counted(monkeypatch)
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "3", "--jobs", "1")
    done = ohmnas(*words)
    assert done.code == 0
    reason = "diverged: the loss was not finite in epoch 3 of 24"
    assert f"resnet8-w8, training run 2 of 3 (seed 1000001): {reason}; excluded from the means" in done.out
    assert "measured: mean of 3 training runs (diverged ones excluded), 2 pcm chips each" in done.out
    network = json.loads((tmp_path / "verify.json").read_text("utf-8"))["networks"]["resnet8-w8"]
    assert network["reasons"] == ["", reason, ""]
    assert all(network["measured"][target][1] is None for target in MEASURED)
    first, _, third = network["measured"]["accuracy_1d"]
    (row,) = (line for line in done.out.splitlines() if "resnet8-w8 measured" in line)
    assert f"{50 * (first + third):.2f} %" in row
    assert ohmnas(*words, "--json").code == 0
    assert asked == [6, 0]


def test_a_network_whose_every_training_diverges_has_dashes(
    result: Path, ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trained_unless(monkeypatch, lambda _: True, None)
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--jobs", "1")
    done = ohmnas(*words)
    assert done.code == 1
    assert done.err.endswith("error: every training run diverged; there is no measurement\n")
    (row,) = (line for line in done.out.splitlines() if "found measured" in line)
    assert row.split()[2:5] == ["-", "-", "-"]
    assert "found: every training run diverged; there is no measurement" in done.out


def test_a_training_that_was_given_up_is_reported(
    result: Path, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trained_unless(monkeypatch, lambda seed: seed == VERIFICATION_SEEDS + 1, 0)
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "2", "--jobs", "1")
    out = ohmnas(*words).out
    reason = "given up after 0 of 1 epochs: the loss never fell below chance level"
    assert f"found, training run 2 of 2 (seed 1000001): {reason}; included in the means" in out
    assert "measured: mean of 2 training runs, " in out
    found = json.loads((tmp_path / "verify.json").read_text("utf-8"))["networks"]["found"]
    assert found["reasons"] == ["", reason]
    assert None not in found["measured"]["accuracy_1d"]


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


def test_workers_and_chips_are_a_choice_and_workers_change_nothing(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--json")
    assert "at least 2" in ohmnas(*words, "--chips", "1").sentence
    one = ohmnas(*words, "--chips", "3", "--jobs", "1").values
    assert one["chips"] == 3
    assert ohmnas(*words, "--chips", "3", "--jobs", "2").values == one
    assert ohmnas(*words, "--jobs", "1").values["networks"] != one["networks"]


def test_a_result_for_a_users_chip_needs_its_file(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
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


def test_a_different_chip_with_the_same_name_is_refused(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["surrogate"]["hardware"] = "mine"
    values["surrogate"]["chip"] = {"technology": "pcm", "hw_adc_bits": 6.0}
    result.write_text(json.dumps(values), encoding="utf-8")
    chip = tmp_path / "mine.toml"
    chip.write_text("adc_bits = 5\n", encoding="utf-8")
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--hardware", chip)
    assert "with hw_adc_bits 6.0; this one has" in ohmnas(*words).sentence
    chip.write_text("adc_bits = 6\n", encoding="utf-8")
    assert ohmnas(*words, "--json").values["hardware"] == "mine"


def test_comparing_another_fidelity_than_the_tables_prints_a_note(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    out = ohmnas(*words).out
    assert "not comparable: the surrogate was trained at fidelity paper, the networks at fidelity smoke" in out
    assert "measured: 1 training run, 2 pcm chips, 360 test images" in out
    values = json.loads(result.read_text("utf-8"))
    values["surrogate"]["fidelity"] = "smoke"  # as if its table had been measured so
    result.write_text(json.dumps(values), encoding="utf-8")
    out = ohmnas("verify", result, "--task", "digits", "--seeds", "2").out  # the fidelity of the table, if none is said
    assert "comparable" not in out
    assert "measured: mean of 2 training runs, 2 pcm chips each, 360 test images" in out
    verified = json.loads(result.with_name("verify.json").read_text("utf-8"))
    assert (verified["fidelity"], verified["predicted_fidelity"]) == ("smoke", "smoke")


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"best": {}}'])
def test_a_file_that_is_not_a_result_is_one_sentence(content: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    assert str(path) in ohmnas("verify", path, "--task", "digits").sentence


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("evaluations",), -1),
        (("surrogate", "chip"), "x"),
        (("surrogate", "hardware"), "\x1b[2J"),
        (("surrogate", "task"), ["digits"]),
        (("surrogate", "fidelity"), {}),
        (("constraints", "max_params"), "x"),
        (("history", 0, "objective"), None),
        (("references", 0, "name"), 3),
        (("best", "costs", "size"), "x"),
        (("parameters",), [1]),
    ],
)
def test_a_value_of_another_kind_is_one_sentence_for_all_who_read_results(
    where: tuple[str | int, ...], value: object, result: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    values = json.loads(result.read_text("utf-8"))
    place = values
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    result.write_text(json.dumps(values), encoding="utf-8")
    campaign = ("campaign", "--task", "digits", "--store", tmp_path / "s.sqlite", "--found", result)
    search = ("search", "--task", "digits", "--max-params", "20k", "--out", tmp_path / "out", "--resume", result)
    for words in (("verify", result, "--task", "digits"), search, campaign):
        sentence = ohmnas(*words).sentence
        assert f"{result} is not a search result" in sentence
        assert "\x1b" not in sentence


def test_a_genome_out_of_range_is_one_sentence(result: Path, ohmnas: Ohmnas) -> None:
    values = json.loads(result.read_text("utf-8"))
    values["best"]["genome"][0] = 999
    result.write_text(json.dumps(values), encoding="utf-8")
    assert "gene OC0 is 999" in ohmnas("verify", result, "--task", "digits").sentence


def test_an_unknown_task_is_one_sentence(result: Path, ohmnas: Ohmnas) -> None:
    assert "unknown task 'mnist'" in ohmnas("verify", result, "--task", "mnist").sentence
    assert "unknown fidelity" in ohmnas("verify", result, "--task", "digits", "--fidelity", "x").sentence
    assert "cannot read" in ohmnas("verify", result.with_name("nothing.json"), "--task", "digits").sentence
