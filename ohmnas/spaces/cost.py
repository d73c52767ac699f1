"""Exact costs of whole populations, without building a network.

A population becomes a `LayerTable`: the kinds of layers that its networks can have, and how often each occurs. Every
cost is a sum over that table, so that a new cost is one line.

In memory a row is a kind and a column a network, so that all arithmetic runs along the population: that is the long
side, and a sum over kinds adds long rows instead of many short ones. What is public is the transpose, ``(n, k)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population

Counts = npt.NDArray[np.int64]

ENTRY, FIRST, MIDDLE, LAST, SKIP = range(5)
"""Kinds of convolution in a main block: first of the first residual block, first of the others, middle, last, skip."""
KINDS_PER_BLOCK = 5
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

    def size(self, bits: int = 8) -> Counts:
        """``(n,)``: bytes of the parameters: matrices of `bits` bits, digital ones of 32; the former rounded up."""
        return -(_total(self.count * self.inputs * self.outputs) * -bits // 8) + 4 * _total(self.count * self.digital)

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
    image_channels, height, width = input_shape
    repeats, branches, conv_type, widening, skip = by_gene(population, np.int64)
    basic = conv_type == genes.CODE_OF_CONV_TYPE["A"]
    stem_out = population[:, genes.OC0].astype(np.int64)

    out = np.maximum(widening, 1)
    out[0] *= stem_out
    for before, behind in pairwise(out):
        np.multiply(before, behind, out=behind)
    into = np.concatenate([stem_out[None], out[:-1]])
    area_out = _areas(height, width)
    area_in = np.concatenate([area_out[:1], area_out[:-1]])
    inner = np.where(basic, out, bottleneck_channels(out))
    spatial = np.where(basic, 9, 1)  # kernel area of the first and last convolution of a branch
    each = branches * repeats

    count, inputs, outputs, positions, digital = (
        np.empty((LAYER_KINDS, len(population)), dtype=np.int64) for _ in range(5)
    )
    kinds = by_kind(count)
    kinds[ENTRY], kinds[FIRST], kinds[LAST] = branches, each - branches, each
    np.multiply(each, ~basic, out=kinds[MIDDLE])
    kinds[SKIP] = skip
    kinds[SKIP, 0] *= into[0] != out[0]  # later blocks have a stride, and so always a convolution
    kinds = by_kind(inputs)
    np.multiply(into, spatial, out=kinds[ENTRY])
    np.multiply(out, spatial, out=kinds[FIRST])
    np.multiply(inner, 9, out=kinds[MIDDLE])
    np.multiply(inner, spatial, out=kinds[LAST])
    kinds[SKIP] = into
    kinds = by_kind(outputs)
    kinds[:LAST], kinds[LAST:] = inner, out
    kinds = by_kind(positions)
    kinds[:] = area_out[:, None]
    kinds[ENTRY] = np.where(basic, area_out[:, None], area_in[:, None])

    count[0] = count[-1] = 1
    inputs[0], inputs[-1] = image_channels * population[:, genes.KS0].astype(np.int64) ** 2, out[-1]
    outputs[0], outputs[-1] = stem_out, classes
    positions[0], positions[-1] = height * width, 1
    np.multiply(outputs, 2, out=digital)
    digital[-1] = classes
    return LayerTable(count.T, inputs.T, outputs.T, positions.T, digital.T)


def by_gene(population: Population, kind: type[np.generic]) -> npt.NDArray[Any]:
    """The block genes as ``(5, b, n)`` numbers of a kind, in the order of `genes.BLOCK_GENE_NAMES`."""
    return np.ascontiguousarray(genes.block_view(population).T, dtype=kind)


def by_kind(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view of the convolutions of main blocks, ``(LAYER_KINDS, n)`` -> ``(KINDS_PER_BLOCK, b, n)``."""
    blocks = matrix[1:-1].reshape(genes.BLOCKS, KINDS_PER_BLOCK, matrix.shape[1])
    return blocks.transpose(1, 0, 2)


def _areas(height: int, width: int) -> npt.NDArray[np.int64]:
    """``(b,)``: output pixels of each main block; all but the first halve each side, rounding up."""
    areas = []
    for _ in range(genes.BLOCKS):
        areas.append(height * width)
        height, width = (height + 1) // 2, (width + 1) // 2
    return np.array(areas, dtype=np.int64)
