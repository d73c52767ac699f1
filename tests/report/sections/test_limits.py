from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ohmnas.report.sections.limits import limits_section
from ohmnas.report.subject import read_subject


def rows_with(found: Path, *, command: tuple[str, ...] = (), **limits: Any) -> dict[str, list[str]]:
    """Title -> further cells of the rows, for a result with this command and these constraints."""
    one = read_subject(found)
    section = limits_section(replace(one, result=replace(one.result, constraints=limits, command=command)), False)
    assert section.grid is not None
    return {row[0].text: [cell.text for cell in row[1:]] for row in section.grid.rows}


def test_limits_are_shown_with_what_was_found_and_their_origin(found: Path) -> None:
    one = read_subject(found)
    seen = one.result.provenance["seen"]["max_macs"]
    known = one.result.references[0]
    expected: dict[str, Any] = {
        "max_avm": 0.0,
        "min_accuracy": known.predicted["accuracy_1d"] - 1e-6,
        "reference": known.name,
    }
    rows = rows_with(found, max_params=50_000, max_macs=seen, min_params=0, **expected)
    assert rows["parameters"] == ["", "at most 50,000", f"{one.result.best.params:,}", ""]
    assert rows["MACs per image"][3] == "most MACs of a measured network"
    assert rows["AVM"][1].startswith("at most +0.00")  # a limit of 0 is a limit
    assert rows["AVM"][3] == ""  # without a command, the origin is unknown
    assert rows["1-day accuracy"][3] == f"predicted for {known.name}"
    assert rows["accuracy/std"][1] == "maximised"
    assert len(rows) == 5  # no lower limit of 0
    assert rows_with(found, min_params=17)["parameters"][3] == ""


def test_the_limits_that_the_user_asked_for_are_beside_the_applied_ones(found: Path) -> None:
    known = read_subject(found).result.references[0]
    avm, accuracy = known.predicted["avm"], known.predicted["accuracy_1d"]
    command = ("search", "--max-params", "50k", "--max-avm", "0.02", "--soft", "macs=500k", "--at-least", "avm_60s=0")
    applied: dict[str, Any] = {"max_params": 50_000, "max_avm": avm, "min_accuracy": accuracy, "soft": {"macs": 5e5}}
    rows = rows_with(found, command=command, **applied, reference=known.name)
    assert (rows["parameters"][0], rows["parameters"][3]) == ("--max-params 50k", "the command")
    assert rows["AVM"][0] == "--max-avm 0.02 (+2.00\xa0pt)"
    assert rows["AVM"][3] == f"predicted for {known.name}, stricter than the command"
    assert rows["1-day accuracy"][0] == ""
    assert (rows["MACs per image"][0], rows["MACs per image"][3]) == ("--soft macs=500k", "the command")
    default = rows_with(found, command=("search", "--max-params", "50k"), min_accuracy=0.55)
    assert default["1-day accuracy"][3] == "default of --floor"
    own = rows_with(found, command=("search", "--floor", "0.9"), min_accuracy=0.9)
    assert (own["1-day accuracy"][0], own["1-day accuracy"][3]) == ("--floor 0.9", "the command")


def test_bounds_on_genes_and_soft_limits_are_shown(found: Path) -> None:
    command = ("search", "--range", "M=1:3", "--fix", "OC0=8")
    rows = rows_with(found, command=command, genes={"M": [1, 3]}, soft={"macs": 5e5}, least={"accuracy_1mo": 0.9})
    assert rows["gene M"][:2] == ["--range M=1:3", "1 to 3"]
    assert rows["MACs per image"][1] == "soft limit of 500,000"
    assert rows["accuracy after 1 month"][1].startswith("at least 90.00")
