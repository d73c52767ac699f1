"""Mapping of a layer's weights to crossbar tiles.

Notation: a layer has ``o`` outputs in ``G`` groups, each output with ``k`` inputs (input channels of its group x kernel
height x kernel width). A group's matrix of ``o/G`` columns and ``k`` rows is cut evenly into tiles, as in aihwkit
(`TileModuleArray.get_split_sizes`); its rows are cut into ``p`` parts. Each column of a part has its own scale, noise
and ADC.

Groups of several channels have their own tiles. The groups of a depthwise convolution, one channel each, share tiles:
their blocks lie on the diagonal, and the cells outside them are assumed not to conduct.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ohmnas.analog.cpu_kernels import SMALLEST_SCALE
from ohmnas.hardware import Hardware
from ohmnas.hardware.tiles import split_sizes


@dataclass(frozen=True)
class Mapping:
    """The tiles that hold the weights of one layer."""

    outputs: int
    """o: rows of the weight tensor."""
    inputs: int
    """k: inputs of one output."""
    groups: int
    """G: number of groups."""
    row_parts: tuple[int, ...]
    """Sizes of the p parts of the k inputs."""
    column_parts: tuple[int, ...]
    """Sizes of the parts of the o/G outputs of a group."""
    together: int = 1
    """Largest number of groups on one tile."""

    @classmethod
    def of(cls, weight: Tensor, groups: int, chip: Hardware) -> Mapping:
        """The mapping of a weight tensor ``(o, ...)``, whose trailing axes are the inputs, on a chip."""
        outputs, inputs = weight.shape[0], weight[0].numel()
        together = 1
        if groups > 1 and weight.shape[1] == 1:
            together = max(min(chip.tile_rows // inputs, chip.tile_columns // (outputs // groups)), 1)
        return cls(
            outputs,
            inputs,
            groups,
            tuple(split_sizes(inputs, chip.tile_rows)),
            tuple(split_sizes(outputs // groups, chip.tile_columns)),
            together,
        )

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """``(p + 1,)``: first input of each part, and k."""
        return np.cumsum([0, *self.row_parts])

    @property
    def tiles(self) -> int:
        """Number of crossbar tiles of the layer."""
        return len(self._shared) * len(self.row_parts) * len(self.column_parts)

    @property
    def clipped_groups(self) -> int:
        """Number of equal parts of the weights that training clips separately: 1 if groups share tiles."""
        return self.groups if self.together == 1 else 1

    @property
    def _shared(self) -> list[int]:
        """Number of groups on each set of shared tiles, in order."""
        return split_sizes(self.groups, self.together)

    def column_scale(self, weight: Tensor) -> Tensor:
        """``(o, p)``: the largest absolute weight of each column part, above 0."""
        parts = torch.split(weight.detach().flatten(1), list(self.row_parts), dim=1)
        return torch.stack([part.abs().amax(dim=1) for part in parts], dim=1).clamp_(min=SMALLEST_SCALE)

    def expand(self, per_column: Tensor) -> Tensor:
        """``(o, p)`` -> ``(o, k)``: give each weight the value of its column part."""
        if len(self.row_parts) == 1:
            return per_column.expand(-1, self.inputs)
        parts = zip(torch.unbind(per_column, dim=1), self.row_parts, strict=True)
        return torch.cat([one[:, None].expand(-1, size) for one, size in parts], dim=1)

    def tile_of_column(self) -> Tensor:
        """``(o, p)``: index of each column part's tile within the layer."""
        columns = torch.arange(len(self.column_parts)).repeat_interleave(torch.tensor(self.column_parts))
        shared = torch.arange(len(self._shared)).repeat_interleave(torch.tensor(self._shared))
        group = shared.repeat_interleave(self.outputs // self.groups)
        column = columns.repeat(self.groups)
        part = torch.arange(len(self.row_parts))
        return ((group * len(self.column_parts) + column)[:, None]) * len(self.row_parts) + part
