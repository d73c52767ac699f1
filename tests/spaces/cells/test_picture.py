from __future__ import annotations

import io

import pytest
from matplotlib.text import Annotation

from ohmnas.spaces.cells.cell import REFERENCES, Cell
from ohmnas.spaces.cells.picture import draw

from .conftest import SPACE


@pytest.mark.parametrize("name", REFERENCES)
def test_every_operation_that_does_something_has_an_arrow_and_a_name(name: str) -> None:
    cell = REFERENCES[name]
    figure = draw(cell)
    (panel,) = figure.axes
    arrows = [text for text in panel.texts if isinstance(text, Annotation)]
    words = [text.get_text() for text in panel.texts if not isinstance(text, Annotation)]
    there = [operation for operation in cell.operations if operation != "none"]
    assert len(arrows) == len(there)
    assert sorted(words) == sorted(
        [{"skip_connect": "skip", "nor_conv_1x1": "1x1", "nor_conv_3x3": "3x3"}[operation] for operation in there]
        + ["in", "1", "2", "out"]
    )


def test_an_empty_cell_has_nodes_alone_and_can_be_written() -> None:
    figure = SPACE.draw(Cell(("none",) * 6))
    assert [text.get_text() for text in figure.axes[0].texts] == ["in", "1", "2", "out"]
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    assert b"</svg>" in file.getvalue()
