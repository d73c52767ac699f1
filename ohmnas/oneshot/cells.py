"""Shared weights of NAS-Bench-201 networks: each edge of each cell has its own weights for each convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from ohmnas.oneshot.places import Place, Sizes
from ohmnas.spaces.cells.cell import EDGES, Cell
from ohmnas.spaces.cells.layers import CELLS, CHANNELS

_FIRST_CELL: Final = 2
"""Index of the first cell in the network, after the convolution and batch norm of the stem."""
_KERNELS: Final = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


@dataclass(frozen=True)
class CellSharing:
    """See `Sharing`."""

    in_channels: int
    """Channels of an image."""
    classes: int

    def places(self, architecture: object) -> list[Place]:
        """See `Sharing`."""
        cell = cast(Cell, architecture)
        width, index = CHANNELS[0], _FIRST_CELL
        found = [_place("0", "stem", (width, self.in_channels, 3, 3))]
        for stage, channels in enumerate(CHANNELS):
            if channels != width:
                found += _reduction(str(index), stage, width, channels)
                width, index = channels, index + 1
            for number in range(CELLS):
                found += _cell(str(index), f"stage{stage}.cell{number}", cell, channels)
                index += 1
        linear = index + 3  # after batch norm, ReLU and mean
        return [*found, _place(str(index), "norm", (width,)), _place(str(linear), "linear", (self.classes, width))]


def _cell(path: str, name: str, cell: Cell, channels: int) -> list[Place]:
    """Places of the convolutions of one cell."""
    found = []
    for (source, target), operation in zip(EDGES, cell.operations, strict=True):
        if kernel := _KERNELS.get(operation):
            edge = f"e{source}{target}"
            sizes = (channels, channels, kernel, kernel)
            found.append(_place(f"{path}.layers.{edge}.1", f"{name}.{edge}.{operation}", sizes))
    return found


def _reduction(path: str, stage: int, width: int, channels: int) -> list[Place]:
    """Places of the residual block before a stage."""
    name = f"reduction{stage}"
    return [
        _place(f"{path}.body.1", f"{name}.first", (channels, width, 3, 3)),
        _place(f"{path}.body.4", f"{name}.second", (channels, channels, 3, 3)),
        _place(f"{path}.shortcut.1", f"{name}.shortcut", (channels, width, 1, 1)),
    ]


def _place(path: str, layer: str, sizes: Sizes) -> Place:
    return Place(path, layer, sizes, (sizes,))
