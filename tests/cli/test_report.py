from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Ohmnas


@pytest.fixture
def result(ohmnas: Ohmnas, tmp_path: Path) -> Path:
    folder = tmp_path / "found"
    done = ohmnas("search", "--task", "digits", "--iterations", "2", "--population", "20", "--out", folder)
    assert done.code == 0
    return folder


def test_a_search_becomes_one_file_with_the_command_to_repeat_it(ohmnas: Ohmnas, result: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = ohmnas("report", result, "--out", page)
    assert done.code == 0
    assert f"wrote {page}" in done.out
    text = page.read_text("utf-8").replace("<span>", "").replace("</span>", "")
    assert f"ohmnas search --task digits --iterations 2 --population 20 --out {result}" in text
    assert ohmnas("report", result, result / "result.json", "--out", page, "--json").values["bytes"] > 100_000


def test_a_table_becomes_a_page(ohmnas: Ohmnas, tmp_path: Path) -> None:
    page = tmp_path / "table.html"
    assert ohmnas("report", "--table", "people", "--out", page).code == 0
    assert "<h2>Groups of networks</h2>" in page.read_text("utf-8")


def test_wrong_words_are_one_sentence(ohmnas: Ohmnas, result: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "report.html")
    assert "nothing to report" in ohmnas("report", *out).sentence
    assert "has no result.json" in ohmnas("report", tmp_path, *out).sentence
    assert "cannot read" in ohmnas("report", tmp_path / "nothing", *out).sentence
    assert "trained on a table other than people" in ohmnas("report", result, "--table", "people", *out).sentence
    assert "select rows of a table" in ohmnas("report", result, "--hardware", "pcm", *out).sentence
    assert "--surrogate is for results" in ohmnas("report", "--table", "people", "--surrogate", "x", *out).sentence
    assert "cannot write" in ohmnas("report", result, "--out", tmp_path / "no" / "report.html").sentence
    assert not (tmp_path / "report.html").exists()


def test_broken_measurements_are_one_sentence(ohmnas: Ohmnas, result: Path, tmp_path: Path) -> None:
    (result / "verify.json").write_text("{}", encoding="utf-8")
    assert "is not a verification" in ohmnas("report", result, "--out", tmp_path / "report.html").sentence
