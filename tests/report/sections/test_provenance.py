from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.provenance import provenance_section, repeat_section
from ohmnas.report.subject import read_subject


def test_table_search_and_chip_are_named(found: Path) -> None:
    one = read_subject(found)
    section = provenance_section(one, several=False)
    assert section.grid is not None
    rows = {row[0].text: row[1].text for row in section.grid.rows}
    assert rows["its SHA-256"] == one.result.provenance["table_sha256"]
    assert rows["search"].startswith(f"{one.result.strategy}, seed {one.result.seed}")
    ((title, settings),) = section.details
    assert title == "Settings of the chip"
    texts = {row[0].text: row[1].text for row in settings.rows}
    assert (texts["largest conductance"], texts["output converters"], texts["rows of a tile"]) == (
        "25 \u00b5S",
        "8 bits",
        "512 inputs",
    )
    assert (texts["drift compensation"], texts["batch norm"]) == ("yes", "trained")
    assert texts["programming noise"] == "1 x the measured device"


def test_ideal_converters_are_named(found: Path) -> None:
    one = read_subject(found)
    learned = {**one.result.provenance, "chip": {**one.result.provenance["chip"], "hw_adc_bits": 0.0}}
    ((_, settings),) = provenance_section(replace(one, result=replace(one.result, provenance=learned)), False).details
    assert ["output converters", "0 (ideal)"] in [[cell.text for cell in row] for row in settings.rows]


def test_commands_are_quoted_and_results_without_one_are_named(found: Path) -> None:
    one = read_subject(found)
    typed = replace(one, result=replace(one.result, command=("search", "--out", "my folder")))
    section = repeat_section([typed, replace(one, name="other")])
    assert section.command == "ohmnas search --out 'my folder'"
    assert "No command is recorded for other" in section.after[0]


def test_several_commands_and_searches_that_were_cut_short_are_named(found: Path) -> None:
    one = read_subject(found)
    typed = replace(one, result=replace(one.result, command=("search", "--out", "found")))
    late = replace(typed, name="late", result=replace(typed.result, stopped="seconds"))
    assert repeat_section([typed]).text == [
        "Run in an empty folder on the same kind of processor, the command finds the same network again."
    ]
    first, second = repeat_section([typed, late]).text
    assert "each command finds its network again" in first
    assert second.startswith("A search that was cut short (late)")
    assert repeat_section([late]).text[1].startswith("A search that was cut short may")
