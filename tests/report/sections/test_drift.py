from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.drift import drift_section
from ohmnas.report.subject import read_subject, read_subjects


def test_predicted_and_measured_accuracies_are_in_the_numbers(front: Path) -> None:
    one = read_subject(front)
    assert one.measurement is not None
    ((_, grid),) = drift_section([one]).details
    values = [row[1].text for row in grid.rows]
    assert values == ["predicted"] * len(one.drift) + ["measured"] * len(one.measurement.networks)


def test_side_by_side_only_the_found_networks_have_predictions(found: Path, front: Path) -> None:
    ((_, grid),) = drift_section(read_subjects([found, front])).details
    assert [row[0].text for row in grid.rows if row[1].text == "predicted"] == ["found", "front"]


def test_without_a_surrogate_the_section_says_how_to_pass_it(found: Path) -> None:
    section = drift_section([replace(read_subject(found), drift={})])
    assert "--surrogate" in section.text[0]
    assert not section.figures
