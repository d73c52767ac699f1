from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from ohmnas.search.result import write_result
from tests.report.conftest import searched, verified

from .conftest import Ohmnas


def test_results_stand_side_by_side(ohmnas: Ohmnas, tmp_path: Path) -> None:
    result = searched()
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        write_result(tmp_path / name / "result.json", result)
    (tmp_path / "two" / "verify.json").write_text(json.dumps(verified(result)), encoding="utf-8")
    other = replace(result, provenance={**result.provenance, "hardware": "hermes"})
    write_result(tmp_path / "three" / "result.json", other)
    out = ohmnas("compare", tmp_path / "one", tmp_path / "two").out
    for piece in ("one predicted", "two measured", "predicted accuracy (%) after", "30 days", "1-day accuracy (%)"):
        assert piece in out
    assert "one measured" not in out
    assert "different tasks or chips" not in out
    assert "different tasks or chips" in ohmnas("compare", tmp_path / "one", tmp_path / "three").out
    values = ohmnas("compare", tmp_path / "one", tmp_path / "two", "--json").values
    assert list(values) == ["one", "two"]
    assert "measured" in values["two"]


def test_a_missing_result_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "cannot read" in ohmnas("compare", tmp_path / "nothing").sentence
