"""Stages of a NAS-Bench-201 network: stem, three stages of equal cells, linear layer."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ohmnas.spaces.cells.cell import EDGES, NODES, Cell
from ohmnas.spaces.cells.layers import CELLS, CHANNELS, KINDS_PER_STAGE, LAYER_KINDS, REDUCTION
from ohmnas.spaces.sides import sides
from ohmnas.spaces.stages import Bar, Kind, Stage

_WORDS: Final = {"nor_conv_3x3": "3x3", "nor_conv_1x1": "1x1", "avg_pool_3x3": "pool", "skip_connect": "skip"}
_KINDS: Final[dict[str, Kind]] = {"nor_conv_3x3": "spatial", "nor_conv_1x1": "pointwise"}


def stages(cell: Cell, input_shape: tuple[int, int, int], classes: int) -> tuple[Stage, ...]:
    """Return the stages. Convolutions of the same kind into the same node are drawn as branches."""
    resolution = sides(*input_shape[1:], len(CHANNELS))
    found = [Stage("stem", ("3x3", f"{CHANNELS[0]} channels"), ((Bar(CHANNELS[0]),),), resolution[0], {0: "stem"})]
    for stage, (channels, side) in enumerate(zip(CHANNELS, resolution, strict=True)):
        first = 1 + stage * KINDS_PER_STAGE
        name = f"stage {stage + 1}"
        reduction = ((Bar(channels), Bar(channels)),) if stage else ()
        edges = {
            first + REDUCTION + place: f"{name}: {_WORDS[operation]}, node {source} to {target}"
            for place, ((source, target), operation) in enumerate(zip(EDGES, cell.operations, strict=True))
            if operation in _KINDS
        }
        shortcut = {first + place: f"{name}: reduction {place + 1}" for place in range(REDUCTION)} if stage else {}
        words = (f"{CELLS} cells", f"{channels} channels", _contents(cell))
        blocks = (*reduction, *((_columns(cell, channels),) * CELLS if _columns(cell, channels) else ()))
        found.append(Stage(name, words, blocks, side, shortcut | edges))
    found.append(
        Stage("linear", (f"{classes} classes",), ((Bar(classes, "linear"),),), None, {LAYER_KINDS - 1: "linear"})
    )
    return tuple(found)


def _columns(cell: Cell, channels: int) -> tuple[Bar, ...]:
    """Return the convolutions of a cell. Convolutions of the same kind into the same node are branches of one layer."""
    bars = []
    for node in range(1, NODES):
        into = Counter(
            _KINDS[operation]
            for (_, target), operation in zip(EDGES, cell.operations, strict=True)
            if target == node and operation in _KINDS
        )
        bars += [Bar(channels, kind, count) for kind, count in into.items()]
    return tuple(bars)


def _contents(cell: Cell) -> str:
    counts = Counter(_WORDS[operation] for operation in cell.operations if operation in _WORDS)
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or "no operations"
