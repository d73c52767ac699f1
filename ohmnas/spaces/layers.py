"""`Layers`: layer sizes of a population, for costs and noise, counted without building networks.

A space lists the kinds of layers in its networks, their sizes, and the number of layers of each kind. All costs are
computed from this table (`ohmnas.costs`).

The built-in spaces store one row per kind and one column per network, because arithmetic is fastest along long rows.
The public arrays are the transpose, ``(n, k)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule

Counts = npt.NDArray[np.int64]
Ratios = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tiling:
    """Placement of the layers of n networks on crossbar tiles."""

    matrices: Counts
    """``(n, k)``: number of weight matrices; they share no tile. Layers with the same input may be placed side by side
    as one matrix."""
    outputs: Counts
    """``(n, k)``: outputs of each matrix."""
    steps: Counts
    """``(n,)``: sequential matrix-vector multiplications per image: the sum of positions along the longest path.
    Parallel branches run at the same time."""
    groups: Counts | None = None
    """``(n, k)``: groups of channels of each matrix, each with its own inputs; None means 1 for all. A group is a block
    of the matrix: `Layers.inputs` rows, and one column per output of the group. Blocks lie on the diagonals of
    tiles."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Estimated flow of signal and noise through n networks."""

    through: Ratios
    """``(k, n)``: share of the output's power that passes through each layer, summed over the layers of a kind. Powers
    add up where branches and a skip meet."""
    inside: Ratios
    """``(k, n)``: mean number of a layer's inputs that are inside the image, not in its padding."""
    raw: npt.NDArray[np.intp]
    """Indices of kinds whose inputs are not rectified, such as the stem."""
    blocks: int
    """Number of blocks. The kinds between the first and the last are divided evenly among the blocks, in order."""
    depth: npt.NDArray[np.float64]
    """``(n,)``: mean number of layers on a path to the output; paths are weighted by their share of the power."""
    narrowest: npt.NDArray[np.float64]
    """``(n,)``: channels of the narrowest layer that all paths cross; infinite if skips bypass all blocks. The linear
    layer does not count, and the stem counts only in plain chains."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Layers of n networks, in k kinds. Each field is an ``(n, k)`` matrix of int64; `count` is 0 for missing kinds.

    This class suffices for spaces of plain chains of layers. Other spaces override `tiling`, `flow` and `peak_memory`,
    which assume a chain in the order of the kinds.
    """

    count: Counts
    """Number of layers of this kind; each branch counts."""
    inputs: Counts
    """Inputs of the weight matrix: in channels x kernel height x kernel width."""
    outputs: Counts
    """Outputs of the weight matrix: out channels."""
    positions: Counts
    """Applications of the matrix per image: output height x width."""
    digital: Counts
    """Parameters outside the matrix: two per batch norm channel, the bias of the linear layer."""

    def params(self) -> Counts:
        """``(n,)``: all trainable parameters: weights, batch norm scales and shifts, the linear layer's bias."""
        return _total(self.count * (self.inputs * self.outputs + self.digital))

    def macs(self) -> Counts:
        """``(n,)``: multiply-accumulates per image, in convolutions and the linear layer."""
        return _total(self.count * self.inputs * self.outputs * self.positions)

    def size(self, bits: int = 8) -> Counts:
        """``(n,)``: bytes of the parameters: `bits` bits per weight (total rounded up), 32 per digital parameter."""
        return -(_total(self.count * self.inputs * self.outputs) * -bits // 8) + 4 * _total(self.count * self.digital)

    def layers(self) -> Counts:
        """``(n,)``: number of weight layers, including those in branches and skips."""
        return _total(self.count)

    def activations(self) -> Counts:
        """``(n,)``: outputs of all weight layers for one image; the time of a training step grows with them."""
        return _total(self.count * self.outputs * self.positions)

    def tiling(self) -> Tiling:
        """Return a placement with every layer on its own tiles; layers run one after another."""
        return Tiling(self.count, self.outputs, _total(self.count * self.positions))

    def flow(self) -> Flow:
        """Return the flow through a chain without padding.

        All power passes through every layer. The first kind reads the image.
        """
        through = self.count.T.astype(np.float64)
        depth = through.sum(axis=0)
        widths = np.where(self.count > 0, self.outputs, np.iinfo(np.int64).max)[:, :-1]
        narrowest = widths.min(axis=1).astype(np.float64) if widths.shape[1] else np.full(len(self.count), np.inf)
        blocks = max(self.count.shape[1] - 2, 0)
        return Flow(through, self.inputs.T.astype(np.float64), np.zeros(1, dtype=np.intp), blocks, depth, narrowest)

    def peak_memory(self) -> Counts:
        """``(n,)``: largest number of activations in memory at once for one image.

        A layer needs its whole input and output at once; batch norm, ReLU and sums are in place. The image itself does
        not count.
        """
        values = (self.outputs * self.positions).T
        there = self.count.T > 0
        peak: Counts = np.zeros(len(self.count), dtype=np.int64)
        before = np.zeros_like(peak)
        for kind, value in enumerate(values):
            here = np.where(there[kind], value, 0)
            twice = np.where(self.count.T[kind] > 1, 2 * here, here)
            np.maximum(peak, np.maximum(before + here, twice), out=peak)
            before = np.where(there[kind], value, before)
        return peak

    def scheduled_memory(self, schedule: Schedule) -> Counts:
        """``(n,)``: `peak_memory` for a schedule of the microcontroller.

        Raises:
            InvalidValueError: the space supports only the layer-by-layer schedule.
        """
        if schedule != LAYER_BY_LAYER:
            raise InvalidValueError(
                "this space supports only the layer-by-layer schedule: patches and in-place depthwise convolutions "
                "need the mobile space"
            )
        return self.peak_memory()


def _total(per_kind: Any) -> Counts:
    total: Counts = per_kind.sum(axis=1)
    return total
