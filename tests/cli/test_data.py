from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ohmnas.cli import data, render
from ohmnas.datasets.tasks.loaders import download
from tests.datasets.tasks.loaders.conftest import write_cifar10

from .conftest import Ohmnas


def test_existing_files_are_not_downloaded_again(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "_fetch", lambda *_: pytest.fail("fetched"))
    write_cifar10(tmp_path)
    assert "1,000 for train, 5,000 for validation" in ohmnas("data", "cifar10", "--data-dir", tmp_path).out
    assert ohmnas("data", "cifar10", "--data-dir", tmp_path, "--json").values["test"] == 3000


@pytest.mark.parametrize(("total", "shown"), [(24_000_000, "12 of 24 MB"), (0, "12 MB")])
def test_a_download_of_unknown_size_shows_no_total(
    total: int, shown: str, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []

    def fetched(_name: str, folder: Path, report: Callable[[int, int], None]) -> Path:
        report(12_000_000, total)
        return folder

    monkeypatch.setattr(data, "download", fetched)
    monkeypatch.setattr(render.Meter, "advance", lambda _meter, _to, text: texts.append(text))
    write_cifar10(tmp_path)
    assert ohmnas("data", "cifar10", "--data-dir", tmp_path).code == 0
    assert texts == [shown]


@pytest.mark.parametrize(
    ("name", "message"), [("mnist", "unknown task 'mnist'"), ("digits", "come with scikit"), ("spoken-digits", "clone")]
)
def test_a_failed_download_prints_the_reason(name: str, message: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert message in ohmnas("data", name, "--data-dir", tmp_path).sentence
