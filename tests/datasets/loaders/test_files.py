from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.loaders.files import Arrays, decoded, find_folder
from ohmnas.errors import UnknownNameError


def test_a_folder_is_found_below_the_data_folder_and_as_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.bin").touch()
    assert find_folder(tmp_path, "t", ("images",), "a.bin") == folder
    assert find_folder(folder, "t", ("images",), "a.bin") == folder
    monkeypatch.setenv("OHMNAS_DATA", str(tmp_path))
    assert find_folder(None, "t", ("images",), "a.bin") == folder
    with pytest.raises(UnknownNameError, match=r"no other/a\.bin; say where"):
        find_folder(tmp_path, "t", ("other",), "a.bin")


def test_files_are_decoded_once_and_anew_when_they_change(tmp_path: Path) -> None:
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
