from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.side_by_side import side_by_side_section
from ohmnas.report.subject import read_subjects


def test_each_result_has_a_row_of_predictions_and_one_of_measurements_if_there_are_some(
    found: Path, front: Path
) -> None:
    grid = side_by_side_section(read_subjects([found, front])).grid
    assert grid is not None
    assert [(row[0].text, row[1].text) for row in grid.rows] == [
        ("found", "predicted"),
        ("front", "predicted"),
        ("front", "measured"),
    ]
    assert {len(row) for row in grid.rows} == {len(grid.columns)}


def test_values_of_a_refinement_are_expected(found: Path) -> None:
    (one,) = read_subjects([found])
    refined = replace(one, result=replace(one.result, best=replace(one.result.best, trainings=1)))
    grid = side_by_side_section([one, refined]).grid
    assert grid is not None
    assert [row[1].text for row in grid.rows] == ["predicted", "expected"]
