from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.campaign.trained import TrainedNetwork

from .conftest import Ohmnas


def test_the_found_network_is_trained_and_is_the_one_that_verify_trains(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--max-params", "20k", "--iterations", "3", "--population", "30", "--out", tmp_path)
    assert ohmnas("search", "--task", "digits", *words).code == 0
    how = ("--task", "digits", "--fidelity", "smoke", "--json")
    values = ohmnas("train", tmp_path, *how, "--out", tmp_path / "net").values
    verified = ohmnas("verify", tmp_path / "result.json", *how, "--seeds", "1", "--references", "0", "--jobs", "1")
    measured = verified.values["networks"]["found"]["measured"]
    assert values["measured"]["accuracy_1d"] == measured["accuracy_1d"][0]
    assert TrainedNetwork.load(tmp_path / "net").name == values["name"] == "found"


def test_a_person_sees_the_accuracies_and_what_to_do_next(ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("train", "resnet8-w8", "--task", "digits", "--fidelity", "smoke", "--out", tmp_path / "net")
    assert done.code == 0, done.err
    for part in ("resnet8-w8", "1 month", "2 pcm chips", "360 test images", f"ohmnas export {tmp_path / 'net'}"):
        assert part in done.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("resnet9", "--task", "digits"), "no network 'resnet9'"),
        (("1,2,3", "--task", "digits"), "genome of resnet-1 must have"),
        (("1 2,3", "--task", "digits"), "is not a genome: it needs whole numbers"),
        (("none.json", "--task", "digits"), "cannot read none.json"),
        (("resnet8", "--task", "digits", "--fidelity", "x"), "unknown fidelity 'x'"),
        (("resnet8", "--task", "digits", "--hardware", "x"), "unknown hardware 'x'"),
        (("resnet8", "--task", "digits", "--pick", "front:2"), "only a result of a search"),
        (("resnet8", "--task", "x"), "unknown task 'x'"),
    ],
)
def test_wrong_values_are_one_sentence(ohmnas: Ohmnas, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = ohmnas("train", *words, "--out", tmp_path / "net")
    assert sentence in done.sentence
    assert not (tmp_path / "net").exists()
