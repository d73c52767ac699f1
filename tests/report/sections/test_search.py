from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.sections.search import convergence_section, front_section
from ohmnas.report.subject import read_subject


def test_a_front_lists_all_its_networks_and_marks_the_found_one(front: Path) -> None:
    one = read_subject(front)
    ids = {id(candidate): f"f{place}" for place, candidate in enumerate(one.result.front)}
    ids |= {id(candidate): "r" for candidate in (one.result.best, *one.result.references)}
    section = front_section([one], ids)
    assert section is not None
    assert section.grid is not None
    assert list(section.grid.networks) == [f"f{place}" for place in range(len(one.result.front))]
    assert sum(row[0].text.endswith("(found)") for row in section.grid.rows) == 1


def test_the_ratio_has_a_column_if_it_was_maximised(front: Path) -> None:
    one = read_subject(front)
    ids = {id(candidate): "f" for candidate in (*one.result.front, one.result.best, *one.result.references)}
    section = front_section([one], ids)
    assert section is not None
    assert section.grid is not None
    place = section.grid.columns.index("accuracy / std")
    first = one.result.front[0].predicted
    assert section.grid.rows[0][place].value == first["accuracy_1d"] / first["accuracy_1d_std"]
    other = front_section([replace(one, result=replace(one.result, objective="accuracy_1d"))], ids)
    assert other is not None
    assert other.grid is not None
    assert "accuracy / std" not in other.grid.columns


def test_networks_of_the_front_that_the_table_has_show_their_measured_accuracy(front: Path) -> None:
    one = read_subject(front)
    near = one.neighbours
    assert near is not None
    row = near.rows.iloc[3]
    genome = tuple(int(row[name]) for name in one.result.space.gene_names)
    second = replace(one.result.front[1], genome=genome)
    one = replace(one, result=replace(one.result, front=[one.result.front[0], second, *one.result.front[2:]]))
    ids = {id(candidate): "f" for candidate in (*one.result.front, one.result.best, *one.result.references)}
    section = front_section([one], ids)
    assert section is not None
    assert section.grid is not None
    assert section.grid.columns[-2] == "measured 1-day accuracy (%)"
    assert section.grid.rows[1][-2].value == row["accuracy_1d"]
    shown = [cells[-2].text for cells in section.grid.rows]
    assert all((text != "") == bool(near.labels(c.genome)) for text, c in zip(shown, one.result.front, strict=True))
    assert f"has measured values for {sum(text != '' for text in shown)} of them" in section.text[-1]
    apart = front_section([replace(one, neighbours=None)], ids)
    assert apart is not None
    assert apart.grid is not None
    assert apart.grid.columns[-2] != section.grid.columns[-2]


def test_without_a_front_or_a_history_there_is_no_section(found: Path) -> None:
    one = read_subject(found)
    assert front_section([one], {}) is None
    assert convergence_section([one]) is not None
    assert convergence_section([replace(one, result=replace(one.result, history=[]))]) is None


def test_several_results_have_a_legend(found: Path, front: Path) -> None:
    one, other = read_subject(found), read_subject(front)
    ids = {id(candidate): "f" for each in (one, other) for candidate in (*each.result.front, each.result.best)}
    ids |= {id(candidate): "r" for each in (one, other) for candidate in each.result.references}
    section, convergence = front_section([one, other], ids), convergence_section([one, other])
    assert section is not None
    assert convergence is not None
    assert [text for _, text in section.legend] == [text for _, text in convergence.legend] == ["found", "front"]
    alone = convergence_section([one])
    assert alone is not None
    assert not alone.legend
