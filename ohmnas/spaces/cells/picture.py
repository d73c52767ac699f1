"""Picture of a NAS-Bench-201 cell: nodes from left to right, an arrow for each edge that is not ``none``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ohmnas.pictures import new_figure
from ohmnas.spaces.cells.cell import EDGES, NODES, Cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS: Final = {
    "skip_connect": "#8c8c8c",
    "nor_conv_1x1": "#f58518",
    "nor_conv_3x3": "#4c78a8",
    "avg_pool_3x3": "#54a24b",
}
_NAMES: Final = {"skip_connect": "skip", "nor_conv_1x1": "1x1", "nor_conv_3x3": "3x3", "avg_pool_3x3": "mean 3x3"}
_BENT: Final = {(0, 2): 0.9, (1, 3): -0.9, (0, 3): 1.7}
"""Height of the arrows that are drawn around a node."""


def draw(cell: Cell) -> Figure:
    """Draw the cell that each stage of the network repeats five times."""
    figure = new_figure(7.5, 3.6)
    panel = figure.subplots()
    panel.set(xlim=(-0.4, NODES - 0.6), ylim=(-1.3, 2.1))
    panel.axis("off")
    for edge, operation in zip(EDGES, cell.operations, strict=True):
        if operation == "none":
            continue
        (source, target), height = edge, _BENT.get(edge, 0.0)
        colour, middle = _COLOURS[operation], ((edge[0] + edge[1]) / 2, height)
        x = [source + 0.12, *([] if not height else [middle[0]]), target - 0.12]
        if height:
            points = [index / 40 for index in range(41)]
            curve_x = [x[0] + (x[-1] - x[0]) * share for share in points]
            curve_y = [4 * height * share * (1 - share) for share in points]
            panel.plot(curve_x[:-2], curve_y[:-2], color=colour, lw=2)
            panel.annotate(
                "",
                (curve_x[-1], curve_y[-1]),
                (curve_x[-3], curve_y[-3]),
                arrowprops={"arrowstyle": "->", "color": colour},
            )
        else:
            panel.annotate("", (x[-1], 0), (x[0], 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        panel.text(*middle, _NAMES[operation], ha="center", va="bottom", fontsize="small", color=colour)
    for node in range(NODES):
        label = {0: "in", NODES - 1: "out"}.get(node, str(node))
        panel.scatter(node, 0, s=500, c="white", edgecolors="black", zorder=3)
        panel.text(node, 0, label, ha="center", va="center", zorder=4)
    figure.suptitle(str(cell), fontsize="x-small")
    return figure
