from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.cli.output import output_folder, write_json
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


def test_what_fails_leaves_no_folder_behind_that_it_made(tmp_path: Path) -> None:
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


def test_what_fails_removes_no_folder_that_holds_something(tmp_path: Path) -> None:

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
        pytest.raises(StorageError, match=r"cannot make the folder .*file/a: Not a directory"),
        output_folder(tmp_path / "file" / "a"),
    ):
        pass
