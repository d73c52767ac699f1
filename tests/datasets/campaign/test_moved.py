from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.campaign.moved import free_name, mark
from ohmnas.errors import StorageError


def test_a_file_has_a_mark_that_another_in_its_place_does_not_have(tmp_path: Path) -> None:
    path, other = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    assert mark(path) is None
    assert mark(path / "below") is None
    path.write_bytes(b"1")
    first = mark(path)
    path.write_bytes(b"2")
    assert mark(path) == first
    other.write_bytes(b"1")
    other.replace(path)
    assert mark(path) not in (None, first)
    with pytest.raises(StorageError, match="cannot read"):
        mark(tmp_path / ("x" * 5000))


def test_a_free_name_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for name in ("a-rescued.sqlite", "a-rescued-2.sqlite"):
        assert free_name(path).name == name
        free_name(path).touch()
    assert free_name(tmp_path / "store").name == "store-rescued.sqlite"
