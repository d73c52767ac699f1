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
    assert sum(row[0].text.endswith("found") for row in section.grid.rows) == 1


def test_without_a_front_or_a_history_there_is_no_section(found: Path) -> None:
    one = read_subject(found)
    assert front_section([one], {}) is None
    assert convergence_section([one]) is not None
    assert convergence_section([replace(one, result=replace(one.result, history=[]))]) is None
