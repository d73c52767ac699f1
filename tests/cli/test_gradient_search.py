from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.errors import StorageError

from .conftest import Ohmnas

WORDS = (
    *("gradient-search", "--task", "digits", "--epochs", "2", "--images", "64", "--batch", "16"),
    *("--channels", "4", "--settle", "0"),
)


def test_it_prints_and_writes_a_result_that_other_commands_read(ohmnas: Ohmnas, tmp_path: Path) -> None:
    out = tmp_path / "found"
    done = ohmnas(*WORDS, "--max-params", "300k", "--weight", "energy=0.1", "--out", out)
    assert done.code == 0, done.err
    assert "trained a search network for 2 epochs" in done.out
    assert f"ohmnas verify {out / 'result.json'} --task digits" in done.out
    values = json.loads((out / "result.json").read_text("utf-8"))
    assert values["best"]["params"] <= 300_000
    assert (out / "gradient-search.toml").exists()
    assert not (out / "gradient-search.safetensors").exists()
    for command in ("show", "compare"):
        again = ohmnas(command, out)
        assert again.code == 0, again.err
    assert "hardly better than guessing: use more --epochs" in done.err
    page = ohmnas("report", out, "--out", tmp_path / "page.html")
    assert page.code == 0, page.err


def test_a_stopped_search_continues_with_the_same_command(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = (*WORDS, "--max-seconds", "1e-9", "--out", tmp_path)
    first = ohmnas(*words)
    assert "run the same command to continue" in first.err
    second = ohmnas(*words, "--json")
    assert len(second.values["history"]) == 2
    assert second.values["stopped"] == "iterations"
    assert not list(tmp_path.glob("earlier-*"))


def test_the_search_is_kept_until_its_result_is_written(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    (tmp_path / "result.json").write_text("{", encoding="utf-8")
    with monkeypatch.context() as broken:
        broken.setattr("ohmnas.cli.gradient_search.write_json", full)
        assert "the disk is full" in ohmnas(*WORDS, "--out", tmp_path, "--quiet").err
    assert (tmp_path / "gradient-search.safetensors").exists()
    monkeypatch.setattr("ohmnas.oneshot.gradient.training.Training.epoch", lambda *_: pytest.fail("trained again"))
    done = ohmnas(*WORDS, "--out", tmp_path, "--json")
    assert done.code == 0, done.err
    assert len(done.values["history"]) == 2
    assert not (tmp_path / "gradient-search.safetensors").exists()
    assert (tmp_path / "earlier-1" / "result.json").read_text("utf-8") == "{"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-params", "1k"), "the nearest has"),
        (("--method", "gradas"), "unknown method 'gradas'"),
        (("--weight", "energy=much"), "the weight of energy must be a number, not 'much'"),
        (("--weight", "accuracy_1d=1"), "unknown cost 'accuracy_1d'"),
        (("--weight", "energy=1", "--weight", "energy=2"), "--weight sets energy twice"),
        (("--space", "mobile"), "a gradient search needs the cells or resnet space, not mobile"),
        (("--images", "20"), "use at least 64"),
        (("--warmup", "1"), "warmup must be at least 0 and below 1, not 1.0"),
    ],
)
def test_a_wrong_value_is_one_sentence(
    words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ohmnas.oneshot.gradient.search.require_training", lambda: pytest.fail("began to train"))
    assert message in ohmnas(*WORDS, *words, "--out", tmp_path / "found").sentence
    assert not (tmp_path / "found").exists()
