from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ohmnas.report.sections.limits import limits_section
from ohmnas.report.subject import read_subject


def rows_with(found: Path, **limits: Any) -> dict[str, list[str]]:
    """Title -> further cells of the rows, for a result with these constraints."""
    one = read_subject(found)
    section = limits_section(replace(one, result=replace(one.result, constraints=limits)))
    assert section.grid is not None
    return {row[0].text: [cell.text for cell in row[1:]] for row in section.grid.rows}


def test_limits_are_shown_with_what_was_found_and_their_origin(found: Path) -> None:
    one = read_subject(found)
    seen = one.result.provenance["seen"]["max_macs"]
    known = one.result.references[0]
    expected = {"max_avm": 0.0, "min_accuracy": known.predicted["accuracy_1d"] - 1e-6, "reference": known.name}
    rows = rows_with(found, max_params=50_000, max_macs=seen, min_params=0, **expected)
    assert rows["parameters"] == ["at most 50,000", f"{one.result.best.params:,}", ""]
    assert rows["MACs per image"][2] == "largest measured network"
    assert rows["AVM"][0].startswith("at most +0.00")  # a limit of 0 is a limit
    assert rows["AVM"][2] == ""  # the user's own
    assert rows["1-day accuracy"][2] == f"predicted for {known.name}"
    assert len(rows) == 4  # no lower limit of 0
    assert rows_with(found, min_params=17)["parameters"][2] == ""


def test_bounds_on_genes_and_soft_limits_are_shown(found: Path) -> None:
    rows = rows_with(found, genes={"M": [1, 3]}, soft={"macs": 5e5}, least={"accuracy_1mo": 0.9})
    assert rows["gene M"][0] == "1 to 3"
    assert rows["MACs per image"][0] == "softly at most 500,000"
    assert rows["accuracy after 1 month"][0].startswith("at least 90.00")
