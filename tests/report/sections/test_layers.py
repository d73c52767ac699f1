from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.layers import layers_section
from ohmnas.report.subject import read_subject


def test_rows_add_up_to_the_network(found: Path) -> None:
    one = read_subject(found)
    section = layers_section(one, several=True)
    assert section.anchor == "layers-found"
    assert section.grid is not None
    totals = [sum(int(row[column].text.replace(",", "")) for row in section.grid.rows) for column in (2, 3, 5)]
    assert totals == [one.result.best.params, one.result.best.macs, one.result.best.costs["tiles"]]
    assert section.text[0].startswith(f"{totals[2]:,} tiles")


def test_without_a_chip_there_are_no_tiles(found: Path) -> None:
    one = read_subject(found)
    section = layers_section(replace(one, result=replace(one.result, provenance={})), several=False)
    assert "tiles are unknown" in section.text[0]
    assert section.grid is None
