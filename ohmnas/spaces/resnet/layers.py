"""Layers of ResNet-like networks, counted for whole populations."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Flow, Layers, Tiling
from ohmnas.spaces.resnet import flow, genes, memory
from ohmnas.spaces.resnet.kinds import ENTRY, FIRST, LAST, LAYER_KINDS, MIDDLE, SKIP, by_gene, by_kind


@dataclass(frozen=True, slots=True)
class ResNetLayers(Layers):
    """Layers of ``(n, g)`` ResNet-like networks; kinds are the stem, the kinds of each main block, the linear layer."""

    population: Population
    input_shape: tuple[int, int, int]
    block_genes: Counts
    """``(5, b, n)``: the population's block genes, decoded once (`kinds.by_gene`)."""

    def tiling(self) -> Tiling:
        """Return the placement: first convolutions of a block's branches share an input and form one matrix."""
        count, outputs, positions = self.count.T, self.outputs.T, self.positions.T
        repeats, branches, *_ = self.block_genes
        exists = repeats > 0
        matrices, wide, in_a_row = count.copy(), outputs.copy(), count.copy()
        of_block = by_kind(matrices)
        of_block[ENTRY], of_block[FIRST] = exists, repeats - exists
        by_kind(wide)[[ENTRY, FIRST]] *= branches
        of_block = by_kind(in_a_row)  # branches and the skip run in parallel; the skip is never longer
        of_block[ENTRY], of_block[FIRST], of_block[LAST] = exists, repeats - exists, repeats
        np.multiply(repeats, of_block[MIDDLE] > 0, out=of_block[MIDDLE])
        of_block[SKIP] = 0
        return Tiling(matrices.T, wide.T, (in_a_row * positions).sum(axis=0))

    def flow(self) -> Flow:
        """See `resnet.flow`."""
        return flow.flow(self.population, self.block_genes, self.input_shape, self)

    def peak_memory(self) -> Counts:
        """See `resnet.memory`."""
        return memory.peak_memory(self.population, self.block_genes, self.input_shape, self)


def bottleneck_channels(out_channels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Channels inside a bottleneck (CT = B): a quarter of its out channels, rounded down, at least 1."""
    return np.maximum(out_channels // 4, 1)


def layers(population: Population, input_shape: tuple[int, int, int], classes: int) -> ResNetLayers:
    """Count the layers of each network.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image.
        classes: outputs of the linear layer.

    Returns:
        The layers, ``(n, LAYER_KINDS)``.
    """
    image_channels, height, width = input_shape
    decoded = by_gene(population, np.int64)
    repeats, branches, conv_type, widening, skip = decoded
    basic = conv_type == genes.CODE_OF_CONV_TYPE["A"]
    stem_out = population[:, genes.OC0].astype(np.int64)

    out = np.maximum(widening, 1)
    out[0] *= stem_out
    for before, after in pairwise(out):
        np.multiply(before, after, out=after)
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
    kinds[SKIP, 0] *= into[0] != out[0]  # later blocks have stride 2, so their skip always has a convolution
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
    return ResNetLayers(count.T, inputs.T, outputs.T, positions.T, digital.T, population, input_shape, decoded)


def _areas(height: int, width: int) -> npt.NDArray[np.int64]:
    """``(b,)``: output pixels of each main block; all but the first halve each side, rounding up."""
    areas = []
    for _ in range(genes.BLOCKS):
        areas.append(height * width)
        height, width = (height + 1) // 2, (width + 1) // 2
    return np.array(areas, dtype=np.int64)
