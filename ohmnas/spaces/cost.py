"""Exact costs of whole populations, without building a network.

A population becomes a `LayerTable`: the kinds of layers that its networks can have, and how often each occurs. Every
cost is a sum over that table, so that a new cost is one line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population

Counts = npt.NDArray[np.int64]

KINDS_PER_BLOCK = 5
"""Kinds of convolution in a main block: entry (first of the first residual block), first, middle, last, skip."""
LAYER_KINDS = 2 + genes.BLOCKS * KINDS_PER_BLOCK
"""Stem, the kinds of each main block, linear layer."""


@dataclass(frozen=True, slots=True)
class LayerTable:
    """For n networks and k kinds of layers, each an ``(n, k)`` matrix of int64; a kind that does not occur counts 0."""

    count: Counts
    """How many such layers the network has; each branch counts."""
    inputs: Counts
    """Inputs of the weight matrix: in channels x kernel height x kernel width."""
    outputs: Counts
    """Outputs of the weight matrix: out channels."""
    positions: Counts
    """How often the matrix is applied to one image: output height x width."""
    digital: Counts
    """Parameters beside the matrix: two per batch norm channel, the bias of the linear layer."""

    def params(self) -> Counts:
        """``(n,)``: all trainable parameters: weights, batch norm scales and shifts, the linear layer's bias."""
        return _total(self.count * (self.inputs * self.outputs + self.digital))

    def macs(self) -> Counts:
        """``(n,)``: multiply-accumulates of one image, in convolutions and the linear layer."""
        return _total(self.count * self.inputs * self.outputs * self.positions)

    def layers(self) -> Counts:
        """``(n,)``: weight layers; each branch's count, and so do skip convolutions."""
        return _total(self.count)


def _total(per_kind: Counts) -> Counts:
    total: Counts = per_kind.sum(axis=1)
    return total


def bottleneck_channels(out_channels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Channels inside a bottleneck (CT = B): a quarter of its out channels, rounded down, at least 1."""
    return np.maximum(out_channels // 4, 1)


def layer_table(population: Population, input_shape: tuple[int, int, int], classes: int) -> LayerTable:
    """Count the layers of each network.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image.
        classes: outputs of the linear layer.

    Returns:
        The table, ``(n, LAYER_KINDS)``.
    """
    n = len(population)
    image_channels, height, width = input_shape
    active = genes.active_blocks(population)
    block = genes.block_view(population).astype(np.int64)
    repeats, branches = block[..., genes.R], block[..., genes.B]
    basic = block[..., genes.CT] == genes.CODE_OF_CONV_TYPE["A"]
    stem_out = population[:, genes.OC0].astype(np.int64)
    kernel_area = population[:, genes.KS0].astype(np.int64) ** 2

    out = stem_out[:, None] * np.cumprod(np.maximum(block[..., genes.WF], 1), axis=1)
    into = np.concatenate([stem_out[:, None], out[:, :-1]], axis=1)
    area_out = _areas(height, width)
    area_in = np.concatenate([area_out[:1], area_out[:-1]])
    inner = np.where(basic, out, bottleneck_channels(out))
    strided = np.arange(genes.BLOCKS) > 0
    skip_conv = (block[..., genes.SKIP] == 1) & ((into != out) | strided)

    spatial = np.where(basic, 9, 1)  # kernel area of the first and last convolution of a branch
    kinds = [  # count, inputs, outputs, positions; see KINDS_PER_BLOCK
        (branches, into * spatial, inner, np.where(basic, area_out, area_in)),
        (branches * (repeats - 1), out * spatial, inner, np.broadcast_to(area_out, out.shape)),
        (np.where(basic, 0, branches * repeats), inner * 9, inner, np.broadcast_to(area_out, out.shape)),
        (branches * repeats, inner * spatial, out, np.broadcast_to(area_out, out.shape)),
        (skip_conv, into, out, np.broadcast_to(area_out, out.shape)),
    ]
    shape = (n, LAYER_KINDS)
    table = LayerTable(*(np.empty(shape, dtype=np.int64) for _ in range(5)))
    for kind, (count, inputs, outputs, positions) in enumerate(kinds):
        columns = slice(1 + kind, LAYER_KINDS - 1, KINDS_PER_BLOCK)
        table.count[:, columns] = np.where(active, count, 0)
        table.inputs[:, columns] = inputs
        table.outputs[:, columns] = outputs
        table.positions[:, columns] = positions
    table.count[:, [0, -1]] = 1
    table.inputs[:, 0] = image_channels * kernel_area
    table.outputs[:, 0] = stem_out
    table.positions[:, 0] = height * width
    table.digital[:, :-1] = 2 * table.outputs[:, :-1]
    table.inputs[:, -1] = out[np.arange(n), population[:, genes.M] - 1]
    table.outputs[:, -1] = classes
    table.positions[:, -1] = 1
    table.digital[:, -1] = classes
    return table


def _areas(height: int, width: int) -> npt.NDArray[np.int64]:
    """``(b,)``: output pixels of each main block; all but the first halve each side, rounding up."""
    areas = []
    for _ in range(genes.BLOCKS):
        areas.append(height * width)
        height, width = (height + 1) // 2, (width + 1) // 2
    return np.array(areas, dtype=np.int64)
