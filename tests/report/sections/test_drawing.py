from __future__ import annotations

from pathlib import Path

from ohmnas.report.sections.drawing import network_section
from ohmnas.report.subject import read_subjects


def test_each_result_has_a_picture_and_the_last_one_a_legend(found: Path, front: Path) -> None:
    one, both = (network_section(read_subjects(paths)) for paths in ([found], [found, front]))
    assert (one.title, len(one.figures)) == ("The network", 1)
    assert (both.title, len(both.figures)) == ("The networks", 2)
    assert [bool(figure.legend) for figure in both.figures] == [False, True]
    assert both.figures[0].title.startswith("found: stem")


def test_the_text_of_the_architecture_is_explained(found: Path) -> None:
    (figure,) = network_section(read_subjects([found])).figures
    assert "Notation: stem channels@kernel" in figure.note
