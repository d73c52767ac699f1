"""`Stage`: a part of a network for pictures and cost tables, and the layout of a network drawn to scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["spatial", "pointwise", "linear"]
"""Kind of a drawn layer: a convolution with a kernel above 1x1, a 1x1 convolution, or the linear layer."""

CHANNELS_HEIGHT: Final = 150.0
"""Height of the widest layer: all its channels, over all branches."""
SIDE_HEIGHT: Final = 44.0
"""Side of the square that shows the largest resolution."""
_BAR: Final = (2.0, 13.0)
"""Smallest and largest width of a layer."""
_BARS_WIDTH: Final = 560.0
"""Total width of all layers, unless `_BAR` limits the width of a layer."""
_BLOCK_GAP: Final = 7.0
_LEAST_COLUMN: Final = 126.0
"""Smallest width of a stage, with room for its lines of text."""
_COLUMN_GAP: Final = 14.0
_ARC: Final = 16.0
_TOP: Final = 22.0
_LINE: Final = 15.0
_SHARE_HEIGHT: Final = 9.0
_SHARE_WIDTH: Final = 112.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One layer and its parallel branches."""

    channels: int
    """Out channels of each branch."""
    kind: Kind = "spatial"
    branches: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a network: layers of one resolution."""

    title: str
    lines: tuple[str, ...]
    """Short lines that describe the stage."""
    blocks: tuple[tuple[Bar, ...], ...]
    """Blocks in a row, each with its layers in a row."""
    side: tuple[int, int] | None
    """Height and width of the stage's output in pixels; None if unknown."""
    kinds: Mapping[int, str] = field(default_factory=dict)
    """Kinds in the network's `Layers` that belong to the stage -> their names."""
    skip: bool = False
    """True if each block has a skip connection."""


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; `kind` decides its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    """A `Kind`, ``pixels`` (resolution), ``track`` (all parameters) or ``share`` (own parameters)."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A skip connection over a block."""

    left: float
    right: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text, anchored at its middle."""

    x: float
    y: float
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """A network to scale, with the origin in the top left corner.

    The height of a layer is proportional to its channels, the side of a square to its resolution.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...]
    labels: tuple[Label, ...]


LEGEND: Final = (
    "One column per layer, with a height proportional to its channels (stacked: branches). Arcs: skips, without their "
    "convolutions. Squares: resolution, to scale. Bars below: share of the parameters."
)
KIND_NAMES: Final[Mapping[str, str]] = {
    "spatial": "convolution",
    "pointwise": "1x1 convolution",
    "linear": "linear layer",
}


def side_of(positions: int, height: int, width: int) -> tuple[int, int] | None:
    """Return the sides of an output with this many pixels if halving the image repeatedly gives them, else None."""
    while height * width > positions and height * width > 1:
        height, width = (height + 1) // 2, (width + 1) // 2
    return (height, width) if height * width == positions else None


@dataclass(frozen=True, slots=True)
class Scale:
    """Scale of a drawing; drawings with the same scale can be compared."""

    channels: int
    """Channels of the widest layer, over all branches."""
    pixels: int
    """Largest side of an output in pixels."""

    @classmethod
    def of(cls, *networks: Sequence[Stage]) -> Scale:
        """Return the scale that fits all of these networks."""
        every = [stage for stages in networks for stage in stages]
        bars = [bar for stage in every for block in stage.blocks for bar in block]
        return cls(
            max((bar.channels * bar.branches for bar in bars), default=1),
            max((max(stage.side) for stage in every if stage.side), default=1),
        )


def sketch(stages: Sequence[Stage], params: Mapping[int, int], scale: Scale | None = None) -> Sketch:
    """Lay out a network to scale.

    Args:
        stages: stages of the network, in order.
        params: kind in the network's `Layers` -> parameters.
        scale: the scale; None fits the network.
    """
    scale = scale or Scale.of(stages)
    bars = sum(len(block) for stage in stages for block in stage.blocks)
    bar_width = min(max(_BARS_WIDTH / max(bars, 1), _BAR[0]), _BAR[1])
    total = max(sum(params.values()), 1)
    lines = max((len(stage.lines) for stage in stages), default=0)
    under = _TOP + CHANNELS_HEIGHT + 22.0
    squares = under + _LINE * lines + 10.0
    shares = squares + SIDE_HEIGHT + 26.0
    boxes: list[Box] = []
    arcs: list[Arc] = []
    labels: list[Label] = []
    left = 0.0
    for stage in stages:
        inner = sum(len(block) for block in stage.blocks) * bar_width + (len(stage.blocks) - 1) * _BLOCK_GAP
        column = max(inner, _LEAST_COLUMN)
        middle, x = left + column / 2, left + (column - inner) / 2
        for block in stage.blocks:
            begin, tallest = x, 0.0
            for bar in block:
                boxes += _column(x, bar_width, bar, scale.channels)
                tallest = max(tallest, CHANNELS_HEIGHT * bar.channels * bar.branches / scale.channels)
                x += bar_width
            if stage.skip:
                arcs.append(Arc(begin, x, _TOP + (CHANNELS_HEIGHT - tallest) / 2 - 3.0, min(_ARC, x - begin)))
            x += _BLOCK_GAP
        labels.append(Label(middle, under, stage.title, strong=True))
        labels += [Label(middle, under + _LINE * line, text) for line, text in enumerate(stage.lines, 1)]
        if stage.side:
            high, wide = (SIDE_HEIGHT * side / scale.pixels for side in stage.side)
            top = squares + SIDE_HEIGHT - high
            boxes.append(Box(middle - wide / 2, top, wide, high, "pixels"))
            labels.append(Label(middle, squares + SIDE_HEIGHT + 14.0, f"{stage.side[0]}x{stage.side[1]} pixels"))
        own = sum(params[kind] for kind in stage.kinds)
        share = own / total
        begin = middle - _SHARE_WIDTH / 2
        boxes.append(Box(begin, shares, _SHARE_WIDTH, _SHARE_HEIGHT, "track"))
        boxes.append(Box(begin, shares, _SHARE_WIDTH * share, _SHARE_HEIGHT, "share"))
        labels.append(Label(middle, shares + _SHARE_HEIGHT + 14.0, f"{own:,} ({100 * share:.0f} %)"))
        left += column + _COLUMN_GAP
    return Sketch(left - _COLUMN_GAP, shares + _SHARE_HEIGHT + 22.0, tuple(boxes), tuple(arcs), tuple(labels))


def _column(x: float, width: float, bar: Bar, widest: int) -> list[Box]:
    """Return a layer as one box per branch, stacked around the middle line."""
    each = CHANNELS_HEIGHT * bar.channels / widest
    gap = 0.0 if bar.branches == 1 else min(1.0, each / 4)
    top = _TOP + (CHANNELS_HEIGHT - each * bar.branches) / 2
    margin = min(1.0, width / 5)
    return [
        Box(x, top + branch * each, width - margin, max(each - gap, 0.4), bar.kind) for branch in range(bar.branches)
    ]


def small_sketch(stages: Sequence[Stage], width: int, height: int) -> list[tuple[int, int, int, int, int]]:
    """Return a network as a few boxes, each with whole numbers ``(x, y, width, height, kind)``.

    Each layer is a box; equal neighbouring layers share a box. `kind` is an index into spatial, pointwise, linear.

    Args:
        stages: stages of the network, in order.
        width: total width of the boxes and the gaps between stages.
        height: height of the widest layer.
    """
    bars = [(stage, bar) for stage in stages for block in stage.blocks for bar in block]
    widest = max((bar.channels * bar.branches for _, bar in bars), default=1)
    step = width / max(len(bars) + 2 * (len(stages) - 1), 1)
    order: tuple[Kind, ...] = ("spatial", "pointwise", "linear")
    boxes: list[tuple[int, int, int, int, int]] = []
    x = 0.0
    for place, (stage, bar) in enumerate(bars):
        if place and stage is not bars[place - 1][0]:
            x += 2 * step
        high = max(math.ceil(height * bar.channels * bar.branches / widest), 1)
        here = round(x), round((height - high) / 2), max(round(x + step) - round(x), 1), high, order.index(bar.kind)
        last = boxes[-1] if boxes else None
        if last and last[1] == here[1] and last[3:] == here[3:] and last[0] + last[2] == here[0]:
            boxes[-1] = (last[0], last[1], last[2] + here[2], last[3], last[4])  # equal neighbours as one box
        else:
            boxes.append(here)
        x += step
    return boxes
