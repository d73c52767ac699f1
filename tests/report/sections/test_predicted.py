from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.predicted import predicted_section
from ohmnas.report.subject import read_subject


def test_without_measurements_a_command_measures_them(found: Path) -> None:
    section = predicted_section(read_subject(found), several=False)
    assert (section.anchor, section.title) == ("measured", "Predictions")
    assert section.command.startswith("ohmnas verify ")
    verify, report, train = section.command.splitlines()
    assert verify.endswith("--task digits")
    assert report.startswith("ohmnas report ")
    assert train.endswith("--task digits --out net")
    assert section.grid is not None
    assert {"tiles", "energy per image, proxy (µJ)"} <= {*section.grid.columns}


def test_networks_of_the_table_have_their_labels_beside_the_predictions(found: Path) -> None:
    one = read_subject(found)
    assert one.neighbours is not None
    name, candidate = next((name, each) for name, each in one.networks.items() if name != "found")
    genes = dict(zip(one.result.space.gene_names, candidate.genome, strict=True))
    rows = one.neighbours.rows.iloc[:1].assign(**genes, accuracy_1d=0.875)
    section = predicted_section(replace(one, neighbours=replace(one.neighbours, rows=rows)), several=False)
    assert section.grid is not None
    (measured,) = [row for row in section.grid.rows if row[1].text == "measured in the table"]
    assert measured[0].text.startswith(name)
    assert measured[section.grid.columns.index("1-day accuracy (%)")].text == "87.50"
    alone = predicted_section(replace(one, neighbours=None), several=False)
    assert alone.grid is not None
    assert "values" not in alone.grid.columns


def test_measurements_are_beside_predictions_with_their_differences(front: Path) -> None:
    one = read_subject(front)
    section = predicted_section(one, several=True)
    assert (section.anchor, section.title) == ("measured-front", "Predicted and measured: front")
    assert section.grid is not None
    kinds = [row[1].text for row in section.grid.rows]
    assert kinds.count("measured") >= 2
    architectures, (_, differences) = section.details
    assert [row[1].text for row in architectures[1].rows] == [str(each.architecture) for each in one.networks.values()]
    assert one.measurement is not None
    assert len(differences.rows) == len(one.measurement.differences)
    other = replace(one, measurement=replace(one.measurement, fidelity="quick"))
    assert any("not comparable" in line for line in predicted_section(other, several=False).after)


def test_the_error_of_the_surrogate_in_cross_validation_is_named(found: Path) -> None:
    one = read_subject(found)
    assert one.typical_error is not None
    low, high = one.result.best.interval["accuracy_1d"]
    assert 0.0 < one.typical_error < high - low
    known = predicted_section(replace(one, typical_error=0.0123), several=False)
    assert any("wrong by 1.23 points" in text for text in known.text)
    unknown = predicted_section(replace(one, typical_error=None), several=False)
    assert len(unknown.text) == 1
