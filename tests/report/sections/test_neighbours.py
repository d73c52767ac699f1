from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.page import Group
from ohmnas.report.sections.neighbours import neighbours_section
from ohmnas.report.subject import read_subject


def test_the_nearest_networks_can_be_picked_on_the_page(found: Path) -> None:
    one, groups = read_subject(found), list[Group]()
    section = neighbours_section(one, groups, several=False, number=0)
    assert section is not None
    assert section.grid is not None
    assert one.neighbours is not None
    assert len(section.grid.rows) == len(one.neighbours.nearest)
    assert {*section.grid.networks} <= {*groups[0].networks}
    distances = [float(row[0].text) for row in section.grid.rows]
    assert distances == sorted(distances)


def test_the_best_measured_network_within_the_limits_is_named(found: Path) -> None:
    one = read_subject(found)
    assert one.neighbours is not None
    limits = {"max_params": 30_000, "min_accuracy": 0.5}
    limited = replace(one, result=replace(one.result, constraints=limits))
    section = neighbours_section(limited, [], several=False, number=0)
    assert section is not None
    rows = one.neighbours.rows
    within = rows[(rows["params"] <= 30_000) & (rows["accuracy_1d"] >= 0.5)]
    best = within.sort_values("accuracy_1d", ascending=False, kind="stable").iloc[0]
    assert section.text[1].startswith(
        f"According to the measurements, {len(within):,} networks in the table meet all limits."
    )
    assert f"{int(best['params']):,} parameters: {best['architecture']}" in section.text[1]
    steadiest = within.iloc[(within["accuracy_1d"] / within["accuracy_1d_std"]).to_numpy().argmax()]
    assert f"{int(steadiest['params']):,} parameters: {steadiest['architecture']}" in section.text[1]
    high = float(rows["accuracy_1mo"].max())
    small = int(rows.loc[rows["accuracy_1mo"] >= high, "params"].min())
    both = {"least": {"accuracy_1mo": high}, "max_params": small}
    group = replace(one, result=replace(one.result, constraints=both))
    section = neighbours_section(group, [], several=False, number=0)
    assert section is not None
    assert section.text[1].startswith("According to the measurements, 1 network in the table meets all limits.")
    impossible = replace(one, result=replace(one.result, constraints={"max_params": 1}))
    section = neighbours_section(impossible, [], several=False, number=0)
    assert section is not None
    assert section.text[1].startswith("According to the measurements, no network")


def test_without_the_table_there_is_no_section(found: Path) -> None:
    groups = list[Group]()
    assert neighbours_section(replace(read_subject(found), neighbours=None), groups, several=False, number=0) is None
    assert not groups
