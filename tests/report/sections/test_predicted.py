from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.predicted import predicted_section
from ohmnas.report.subject import read_subject


def test_without_measurements_a_command_measures_them(found: Path) -> None:
    section = predicted_section(read_subject(found), several=False)
    assert (section.anchor, section.title) == ("measured", "Predictions")
    assert section.command.startswith("ohmnas verify ")
    assert section.command.endswith("--task digits")
    assert section.grid is not None
    assert "values" not in section.grid.columns


def test_measurements_are_beside_predictions_with_their_differences(front: Path) -> None:
    one = read_subject(front)
    section = predicted_section(one, several=True)
    assert (section.anchor, section.title) == ("measured-front", "Predicted and measured: front")
    assert section.grid is not None
    kinds = [row[1].text for row in section.grid.rows]
    assert kinds.count("measured") >= 2
    ((_, differences),) = section.details
    assert one.measurement is not None
    assert len(differences.rows) == len(one.measurement.differences)
    other = replace(one, measurement=replace(one.measurement, fidelity="quick"))
    assert any("not comparable" in line for line in predicted_section(other, several=False).after)
