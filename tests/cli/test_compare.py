from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli.compare import named
from ohmnas.search.result import write_result
from tests.report.conftest import searched, verified

from .conftest import Ohmnas


def test_results_are_shown_side_by_side(ohmnas: Ohmnas, tmp_path: Path) -> None:
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


@pytest.mark.train
def test_trained_networks_are_shown_next_to_results(ohmnas: Ohmnas, tmp_path: Path) -> None:
    how = ("--task", "digits", "--fidelity", "smoke", "--out")
    assert ohmnas("train", "resnet8-w8", *how, tmp_path / "small").code == 0
    values = ohmnas("train", "resnet14-w8", *how, tmp_path / "large", "--json").values
    (tmp_path / "found").mkdir()
    write_result(tmp_path / "found" / "result.json", searched())
    paths = [tmp_path / name for name in ("small", "large")]
    out = ohmnas("compare", *paths).out
    for words in ("digital", "30 days", "AVM", "energy per image", "2 pcm chips, test images, fidelity smoke"):
        assert words in out
    assert "predicted" not in out
    assert f"{100 * values['measured']['accuracy_1d']:.2f}" in out
    assert "found predicted" in ohmnas("compare", tmp_path / "found", *paths).out
    both = ohmnas("compare", tmp_path / "found", *paths, "--json").values
    assert list(both) == ["found", "small", "large"]
    assert both["large"]["measured"] == values["measured"]
    assert both["large"]["costs"]["params"] == values["params"] > both["small"]["costs"]["params"]


def test_networks_in_folders_with_the_same_name_get_different_names() -> None:
    networks: dict[Path, Any] = {Path("/a/x/net"): 1, Path("/b/x/net"): 2}
    assert list(named(networks, [])) == ["a/x/net", "b/x/net"]
    assert list(named({Path("/a/net"): networks[Path("/a/x/net")]}, ["net"])) == ["a/net"]
