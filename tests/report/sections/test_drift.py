from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.drift import drift_section
from ohmnas.report.subject import read_subject, read_subjects


def test_predicted_and_measured_accuracies_are_in_the_numbers(front: Path) -> None:
    one = read_subject(front)
    assert one.measurement is not None
    section = drift_section([one])
    assert section is not None
    ((_, grid),) = section.details
    values = [row[1].text for row in grid.rows]
    assert values == ["predicted"] * len(one.drift) + ["measured"] * len(one.measurement.networks)


def test_side_by_side_only_the_found_networks_have_predictions(found: Path, front: Path) -> None:
    section = drift_section(read_subjects([found, front]))
    assert section is not None
    ((_, grid),) = section.details
    assert [row[0].text for row in grid.rows if row[1].text == "predicted"] == ["found", "front"]


def test_a_refinement_without_accuracies_over_time_has_no_section(found: Path) -> None:
    one = read_subject(found)
    refined = replace(one.result, best=replace(one.result.best, trainings=1))
    assert drift_section([replace(one, result=refined, drift={}, measurement=None)]) is None


def test_without_a_surrogate_the_section_says_how_to_pass_it(found: Path) -> None:
    section = drift_section([replace(read_subject(found), drift={})])
    assert section is not None
    assert "--surrogate" in section.text[0]
    assert not section.figures


def test_measurements_of_a_refinement_are_in_the_numbers(found: Path) -> None:
    one = read_subject(found)
    values = {"accuracy_1s": 0.8, "accuracy_1h": 0.78, "accuracy_1d": 0.75, "accuracy_1mo": 0.7}
    refined = replace(one.result, best=replace(one.result.best, trainings=1, measured=values))
    section = drift_section([replace(one, result=refined, drift={})])
    assert section is not None
    ((_, grid),) = section.details
    assert [cell.text for cell in grid.rows[0]] == [
        "found",
        "measured, validation images",
        "80.00",
        "78.00",
        "75.00",
        "70.00",
    ]
