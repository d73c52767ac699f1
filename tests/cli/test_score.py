from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ohmnas.cli import render
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.targets import DEFAULT_NAMES

from .conftest import Ohmnas

pytestmark = pytest.mark.timeout(240)
"""A score is fifteen fits or more; on a machine with other work they take their time."""


@pytest.mark.slow
def test_scores_have_the_documented_form_and_stand_below_their_ceilings(ohmnas: Ohmnas) -> None:
    values = ohmnas("score", "--table", "digits", "--rounds", "1", "--json").values
    assert values["table"] == "digits"
    assert values["rows"] >= 300
    assert set(values["targets"]) == {*DEFAULT_NAMES}
    for target in values["targets"].values():
        low, high = target["ceiling_interval"]
        assert 0.2 < target["kendall_tau"]["mean"] < target["ceiling"] < 1
        assert 0 < low < target["ceiling"] < high < 1
        assert target["kendall_tau"]["std"] > 0
        assert {"spearman", "precision_at_10"} <= set(target)
        assert 0.8 < target["coverage_90"]["mean"] < 0.97


def test_a_person_sees_progress_then_tau_beside_its_ceiling(ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "LOG_SECONDS", 0.0)
    done = ohmnas("score", "--table", "digits", "--rounds", "1")
    assert re.fullmatch(r"(scoring: [1-5] of 5, \d+ \w+ left\n){5}", done.err)
    out = done.out
    assert set(out.split()) >= {*DEFAULT_NAMES}
    assert "Kendall's" in out
    assert "95 % interval" in out
    assert re.search(r"accuracy_1d +0\.\d{3}±0\.\d{3} +0\.\d\d 0\.\d\d-0\.\d\d +\d\d %", out)
    assert max(len(line) for line in out.splitlines() if "─" in line or line.startswith(" acc")) <= 80


@pytest.fixture
def noiseless(tmp_path: Path) -> Path:
    """A table of a chip whose accuracy neither spreads nor drifts, each architecture measured twice."""
    shipped = read_table("digits")
    frame = shipped.measured
    genes = list(shipped.space.gene_names)
    frame = frame[frame.duplicated(genes, keep=False)]
    frame = frame.assign(accuracy_1d_std=0.0, avm=0.0, accuracy_1mo=frame["accuracy_1s"])
    write_table(tmp_path / "ideal.csv", frame, shipped.card)
    return tmp_path / "ideal.csv"


def test_scores_that_labels_do_not_define_are_null_and_a_dash(noiseless: Path, ohmnas: Ohmnas) -> None:
    command = ("score", "--table", noiseless, "--rounds", "1")
    targets = json.loads(ohmnas(*command, "--json").out, parse_constant=pytest.fail)["targets"]
    assert targets["accuracy_1d"]["kendall_tau"]["mean"] > 0
    for target in ("accuracy_1d_std", "avm"):
        assert all(
            targets[target][key] is None
            for key in ("kendall_tau", "ceiling", "ceiling_interval", "spearman", "precision_at_10")
        )
    (line,) = (line for line in ohmnas(*command).out.splitlines() if line.strip().startswith("avm"))
    assert set(line.split()) == {"avm", "-", "100", "%"}  # intervals of no width hold
