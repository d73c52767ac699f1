"""The command line on a table that others measured, from 60 seconds on instead of 1 second."""

from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.search import read_result
from tests.datasets.anb import made

from .conftest import Ohmnas


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "made.anb"
    path.write_bytes(made(60))
    return path


def test_it_is_described_and_scored(ohmnas: Ohmnas, table: Path) -> None:
    described = ohmnas("describe", "--table", table, "--json").values
    assert "avm_60s" in described["relations"]
    targets = ohmnas("score", "--table", table, "--rounds", "1", "--json").values["targets"]
    assert [*targets] == ["accuracy_1d", "accuracy_1d_std", "avm_60s"]


def test_a_search_uses_its_variation(ohmnas: Ohmnas, table: Path, tmp_path: Path) -> None:
    surrogate, found = tmp_path / "made.npz", tmp_path / "found"
    assert ohmnas("fit", "--table", table, "--out", surrogate).code == 0
    words = ("--at-most", "avm_60s=0.05", "--evaluations", "200", "--out", found)
    done = ohmnas("search", "--surrogate", surrogate, *words)
    assert done.code == 0
    assert "AVM from 60 s" in done.out
    predicted = read_result(found / "result.json").best.predicted
    assert [*predicted] == ["accuracy_1d", "accuracy_1d_std", "avm_60s"]
    assert predicted["avm_60s"] <= 0.05
    page = tmp_path / "page.html"
    assert ohmnas("report", found / "result.json", "--out", page).code == 0
    assert ohmnas("report", found / "result.json", "--table", table, "--out", tmp_path / "with-table.html").code == 0
    assert "AVM from 60 s" in page.read_text(encoding="utf-8")
    assert "AVM from 60 s" in ohmnas("show", found / "result.json").out
    assert ohmnas("compare", found / "result.json", found / "result.json").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--max-avm", "0.02"), "use --at-most avm_60s=0.02"),
        (("--pareto", "accuracy_1d,avm"), "avm was not measured in all rows of the table; use avm_60s"),
        (("--exclude", "cifar10"), "is for the resnet-1 space, but the search is for cells-1"),
    ],
)
def test_a_missing_column_is_one_sentence(ohmnas: Ohmnas, table: Path, words: tuple[str, ...], says: str) -> None:
    assert says in ohmnas("search", "--table", table, *words).sentence


def test_a_weighted_objective_weighs_what_it_has(ohmnas: Ohmnas, table: Path, tmp_path: Path) -> None:
    words = ("--table", table, "--objective", "weighted", "--evaluations", "200", "--out", tmp_path / "found")
    assert ohmnas("search", *words).code == 0
    assert "avm_60s" in read_result(tmp_path / "found" / "result.json").objective
