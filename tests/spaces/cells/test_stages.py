from __future__ import annotations

from ohmnas.spaces.cells.cell import REFERENCES, Cell
from ohmnas.spaces.cells.stages import stages


def test_a_network_has_three_stages_of_cells() -> None:
    stem, first, second, third, linear = stages(REFERENCES["cells-resnet"], (3, 32, 32), 10)
    assert (stem.side, first.side, second.side, third.side, linear.side) == ((32, 32), (32, 32), (16, 16), (8, 8), None)
    assert [len(stage.blocks) for stage in (first, second, third)] == [5, 6, 6]  # with a reduction
    assert sum(bar.branches for bar in first.blocks[0]) == 5
    assert first.lines == ("5 cells", "16 channels", "5 3x3, 1 skip")


def test_an_empty_cell_has_stages_without_layers() -> None:
    _, first, second, *_ = stages(Cell(("none",) * 6), (3, 32, 32), 10)
    assert first.blocks == ()
    assert len(second.blocks) == 1
    assert first.lines[-1] == "no operations"
