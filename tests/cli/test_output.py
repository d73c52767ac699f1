from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ohmnas.cli.output import output_folder, set_aside, write_json
from ohmnas.errors import InfeasibleError, StorageError


def test_a_file_that_is_replaced_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    assert capsys.readouterr().err == ""
    write_json(path, {"x": 2})
    assert "replaced" in capsys.readouterr().err
    assert json.loads(path.read_text("utf-8")) == {"x": 2}


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    with output_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert (tmp_path / "a" / "b").is_dir()


def test_a_failed_command_removes_the_folder_it_made(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(KeyboardInterrupt), output_folder(tmp_path / "mine" / "a" / "b"):
        raise KeyboardInterrupt
    assert [*tmp_path.rglob("*")] == [tmp_path / "mine"]
    with pytest.raises(InfeasibleError), output_folder(tmp_path / "mine"):
        raise InfeasibleError("nothing")
    assert (tmp_path / "mine").is_dir()


@pytest.mark.parametrize("name", ["a" * 300, "b/" + "a" * 300, "a" * 300 + "/b"])
def test_a_name_that_is_too_long_is_one_sentence_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="File name too long"), output_folder(tmp_path / name):
        pass
    assert not [*tmp_path.iterdir()]


def test_a_failed_command_keeps_a_folder_with_files(tmp_path: Path) -> None:

    def fail() -> None:
        with output_folder(tmp_path / "a" / "b"):
            (tmp_path / "a" / "notes.txt").touch()
            raise InfeasibleError("nothing")

    with pytest.raises(InfeasibleError):
        fail()
    assert [*tmp_path.rglob("*")] == [tmp_path / "a", tmp_path / "a" / "notes.txt"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match=r"cannot create the folder .*file/a: Not a directory"),
        output_folder(tmp_path / "file" / "a"),
    ):
        pass


def test_without_a_result_nothing_is_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verify.json").write_text("mine", encoding="utf-8")
    set_aside(tmp_path, "result.json", ["verify.json"])
    assert [path.name for path in tmp_path.iterdir()] == ["verify.json"]
    assert capsys.readouterr().err == ""


def test_folders_are_set_aside_and_stay(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("found", encoding="utf-8")
    (tmp_path / "networks" / "a").mkdir(parents=True)
    (tmp_path / "networks" / "a" / "weights").write_bytes(b"1")
    set_aside(tmp_path, "result.json", ["networks"])
    (tmp_path / "networks" / "a" / "weights").unlink()
    assert (tmp_path / "earlier-1" / "networks" / "a" / "weights").read_bytes() == b"1"
    assert (tmp_path / "networks" / "a").is_dir()


@pytest.mark.parametrize("killed", ["shutil.copy2", "pathlib.Path.rename", "pathlib.Path.unlink"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_result_that_is_set_aside_survives_any_end(
    killed: str, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands with what belongs to it in its place, or in a copy, or in both; the next time goes on."""
    contents = {"result.json": "found", "verify.json": "measured", "pareto.png": "drawn"}
    for name, text in contents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    module, name = killed.rsplit(".", 1)
    owner = shutil if module == "shutil" else Path
    whole, calls = getattr(owner, name), []

    def dying(*words: Any, **named: Any) -> Any:
        calls.append(words)
        if len(calls) > after:
            raise KeyboardInterrupt
        return whole(*words, **named)

    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(owner, name, dying)
        set_aside(tmp_path, "result.json", ["verify.json", "pareto.png", "missing.png"])
    places = [tmp_path, *tmp_path.glob("earlier-*")]
    whole_ones = [place for place in places if all((place / name).exists() for name in contents)]
    assert whole_ones
    assert {name: (whole_ones[0] / name).read_text("utf-8") for name in contents} == contents
    set_aside(tmp_path, "result.json", ["verify.json", "pareto.png", "missing.png"])
    assert not (tmp_path / "verify.json").exists()
    assert (tmp_path / "earlier-1" / "verify.json").read_text("utf-8") == "measured"


@pytest.mark.parametrize(("module", "refused"), [(shutil, "copy2"), (tempfile, "mkdtemp")])
def test_a_disk_that_refuses_costs_nothing(
    module: ModuleType, refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("result.json", "verify.json"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, refused, full)
    with pytest.raises(StorageError, match=r"cannot move the earlier result to .*: No space left"):
        set_aside(tmp_path, "result.json", ["verify.json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result.json", "verify.json"]
