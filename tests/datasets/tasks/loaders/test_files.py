from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks.loaders.files import Arrays, decoded, find_folder, visible
from ohmnas.errors import UnknownNameError


def test_a_folder_is_found_below_the_data_folder_and_as_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.bin").touch()
    assert find_folder(tmp_path, "t", ("images",), "a.bin") == folder
    assert find_folder(folder, "t", ("images",), "a.bin") == folder
    monkeypatch.setenv("OHMNAS_DATA", str(tmp_path))
    assert find_folder(None, "t", ("images",), "a.bin") == folder
    with pytest.raises(UnknownNameError, match=r"no other/a\.bin; pass their folder"):
        find_folder(tmp_path, "t", ("other",), "a.bin")


def test_files_are_decoded_once_and_again_when_they_change(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"1")
    calls = []

    def decode() -> Arrays:
        calls.append(file.read_bytes())
        return {"x": np.frombuffer(file.read_bytes(), np.uint8)}

    for _ in range(3):
        assert decoded("t", 1, [file], decode)["x"].tolist() == [49]
    assert len(calls) == 1
    file.write_bytes(b"2")
    os.utime(file, ns=(1, 1))
    assert decoded("t", 1, [file], decode)["x"].tolist() == [50]
    decoded("t", 2, [file], decode)
    assert len(calls) == 3


def test_half_a_copy_is_never_seen(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()

    class StopError(Exception):
        pass

    def dying() -> Arrays:
        raise StopError

    with pytest.raises(StopError):
        decoded("t", 1, [file], dying)
    assert decoded("t", 1, [file], lambda: {"x": np.ones(3)})["x"].sum() == 3


def test_a_list_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "list"
    for content in (b"1", b"2"):
        file.write_bytes(content)
        os.utime(file, ns=(1, 1))
        array = np.frombuffer(content, np.uint8)
        assert decoded("t", 1, [], lambda array=array: {"x": array}, [file])["x"].tolist() == list(content)  # type: ignore[misc]
    os.utime(file, ns=(2, 2))
    assert decoded("t", 1, [], lambda: {}, [file])["x"].tolist() == [50]


def _entry(tmp_path: Path) -> Path:
    (entry,) = (tmp_path / "cache").glob("t-*")
    return entry


@pytest.mark.parametrize("name", ["arrays.json", "x.npy"])
@pytest.mark.parametrize("damage", ["empty", "cut", "junk", "gone", "folder"])
def test_a_damaged_cached_copy_is_rebuilt(name: str, damage: str, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    arrays: Arrays = {"x": np.arange(3000), "y": np.ones(3)}
    decoded("t", 1, [file], lambda: arrays)
    path = _entry(tmp_path) / name
    whole = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "junk": b"[" * 100_000}[damage])
    for calls in (1, 1):
        again = decoded("t", 1, [file], lambda: arrays)
        assert np.array_equal(again["x"], arrays["x"])
        assert _entry(tmp_path).is_dir(), calls
    assert path.read_bytes() == whole


def test_a_cached_copy_of_other_arrays_is_rebuilt(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    decoded("t", 1, [file], lambda: {"x": np.arange(3)})
    np.save(_entry(tmp_path) / "x.npy", np.zeros((1, 3)))
    assert decoded("t", 1, [file], lambda: {"x": np.arange(3)})["x"].tolist() == [0, 1, 2]


def test_an_entry_that_cannot_be_replaced_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    decoded("t", 1, [file], lambda: {"x": np.arange(3)})
    entry = _entry(tmp_path)
    shutil.rmtree(entry)
    entry.write_text("a file in its place", encoding="utf-8")
    for _ in range(2):
        assert decoded("t", 1, [file], lambda: {"x": np.arange(3)})["x"].tolist() == [0, 1, 2]


def test_an_account_without_a_home_decodes_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("OHMNAS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert decoded("t", 1, [], lambda: {"x": np.arange(3)})["x"].tolist() == [0, 1, 2]


def test_hidden_files_are_not_visible(tmp_path: Path) -> None:
    for name in ("b.wav", "._b.wav", "a.wav", ".DS_Store"):
        (tmp_path / name).touch()
    assert [path.name for path in visible(tmp_path.iterdir())] == ["a.wav", "b.wav"]
