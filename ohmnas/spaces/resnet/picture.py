"""Picture of a ResNet-like network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ohmnas.pictures import new_figure
from ohmnas.spaces.resnet.architecture import BRANCHES, Architecture, MainBlock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_BRANCHES = BRANCHES[1]
_LEGEND = (
    "one residual block per main block; stripes: branches, one part per layer; blue: basic, orange: bottleneck; "
    "arc: skip; /2: halves each side"
)
_BLUE, _ORANGE, _GREY = "#4c78a8", "#f58518", "#8c8c8c"


def draw(architecture: Architecture) -> Figure:
    """Draw stem, main blocks with their branches, pooling and classes, from left to right."""
    blocks = architecture.blocks
    figure = new_figure(2.6 + 2.1 * len(blocks), 3.6)
    panel = figure.subplots()
    panel.set(xlim=(-0.6, 2.1 * len(blocks) + 1.9), ylim=(-2.1, 2.4))
    panel.axis("off")
    _box(panel, 0.0, 0.0, 0.7, 1.6, _GREY)
    panel.text(
        0.0,
        -1.25,
        f"stem\n{architecture.stem_kernel}x{architecture.stem_kernel}, {architecture.stem_channels}",
        ha="center",
        va="top",
        fontsize="small",
    )
    for place, (block, channels) in enumerate(zip(blocks, architecture.channels, strict=True)):
        centre = 1.7 + 2.1 * place
        panel.annotate("", (centre - 0.75, 0), (centre - 1.3, 0), arrowprops={"arrowstyle": "->", "color": _GREY})
        if place:
            panel.text(centre - 1.03, 0.12, "/2", ha="center", fontsize="x-small", color=_GREY)
        _draw_block(panel, block, channels, centre)
    end = 1.7 + 2.1 * len(blocks) - 0.75
    panel.annotate("", (end, 0), (end - 0.55, 0), arrowprops={"arrowstyle": "->", "color": _GREY})
    _box(panel, end + 0.3, 0.0, 0.5, 1.0, _GREY)
    panel.text(end + 0.3, -1.25, "pool,\nlinear", ha="center", va="top", fontsize="small")
    figure.suptitle(f"depth {architecture.depth}", fontsize="medium")
    figure.supxlabel(_LEGEND, fontsize="x-small", color=_GREY)
    return figure


def _draw_block(panel: Axes, block: MainBlock, channels: int, centre: float) -> None:
    """Draw one residual block of a main block with its branches as stripes; its number of repeats is below."""
    colour = _BLUE if block.conv_type == "A" else _ORANGE
    height = 2.0 / _MOST_BRANCHES
    for branch in range(block.branches):
        middle = (branch - (block.branches - 1) / 2) * height
        layers = (0.5, 0.5) if block.conv_type == "A" else (0.28, 0.44, 0.28)
        left = centre - 0.65
        for share in layers:
            width = 1.3 * share
            _box(panel, left + width / 2, middle, width * 0.94, height * 0.8, colour)
            left += width
    if block.skip:
        top = block.branches / 2 * height + 0.12
        x = np.linspace(-0.72, 0.72, 40)
        panel.plot(centre + x, top + 0.45 * (1 - (x / 0.72) ** 2), color=_GREY, lw=1.4)
    kind = "basic" if block.conv_type == "A" else "bottleneck"
    times = f"{block.residual_blocks}x " if block.residual_blocks > 1 else ""
    branches = f"\n{block.branches} branches" if block.branches > 1 else ""
    panel.text(centre, -1.25, f"{times}{kind}\n{channels} channels{branches}", ha="center", va="top", fontsize="small")


def _box(panel: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    panel.add_patch(
        Rectangle((x - width / 2, y - height / 2), width, height, facecolor=colour, edgecolor="none", alpha=0.85)
    )
