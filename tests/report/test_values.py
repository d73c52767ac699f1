from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.subject import read_subject
from ohmnas.report.values import values_grid


def test_each_network_has_a_row_of_predictions_before_its_measurements(front: Path) -> None:
    one = read_subject(front)
    grid = values_grid(replace(one, neighbours=None), "r0")
    rows = [(row[0].text.removesuffix(" *"), row[1].text) for row in grid.rows]
    assert rows[:2] == [("found", "predicted"), ("found", "measured")]
    assert [name for name, kind in rows if kind == "predicted"] == [*one.networks]
    assert one.measurement is not None
    assert [name for name, kind in rows if kind == "measured"] == [*one.measurement.networks]


def test_digital_accuracies_are_shown_where_they_were_measured(found: Path, front: Path) -> None:
    plain, one = read_subject(found), read_subject(front)
    without = values_grid(replace(plain, neighbours=None), "r0")
    assert "digital accuracy (%)" not in without.columns
    assert one.measurement is not None
    measured = one.measurement.networks["found"]
    with_digital = replace(measured, values={**measured.values, "accuracy_digital": (0.99, 0.97, None)})
    networks = {**one.measurement.networks, "found": with_digital}
    grid = values_grid(replace(one, measurement=replace(one.measurement, networks=networks), neighbours=None), "r0")
    column = grid.columns.index("digital accuracy (%)")
    shown = {(row[0].text, row[1].text): row[column].text for row in grid.rows}
    assert shown["found", "measured"] == "98.00"
    assert shown["found", "predicted"] == ""
