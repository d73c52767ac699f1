"""Exact peak memory of whole populations: largest number of activations in memory, without building networks."""

from __future__ import annotations

import numpy as np

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Layers
from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.kinds import SKIP, by_kind


def peak_memory(
    population: Population, block_genes: Counts, input_shape: tuple[int, int, int], layers: Layers
) -> Counts:
    """``(n,)``: largest number of activations in memory at once for one image.

    Layers run one after another. A layer needs its whole input and output at once; batch norm, ReLU and sums are in
    place. An activation is freed after the last layer that reads it. The order in a residual block:

    - branches run one after another; each branch but the first is added to the sum of the previous branches, which
      stays in memory: the last layer of the branch needs its input, its output and the sum;
    - the block's input stays until the first layer of the last branch is done or, with a skip, to the end;
    - the skip comes last: an identity is added to the sum in place; a 1x1 convolution needs the block's input, the sum
      and its own output.

    Args:
        population: ``(n, g)``, canonical.
        block_genes: ``(5, b, n)``: block genes (`kinds.by_gene`).
        input_shape: channels, height and width of an image; the image counts while the stem reads it.
        layers: layers of the same networks.

    Returns:
        ``(n,)``: the peak; multiply by the bytes per activation to get the memory.
    """
    count, values = layers.count.T, (layers.outputs * layers.positions).T  # output of each layer
    entry, first, middle, last, _ = by_kind(values)
    repeats, branches, _, _, skip = block_genes
    stem, features = values[0], layers.inputs[:, -1]

    into = np.concatenate([stem[None], last[:-1]])
    peak = _residual_block(into, entry, middle, last, branches, skip)
    np.maximum(peak, by_kind(count)[SKIP] * (into + 2 * last), out=peak)
    later = _residual_block(last, first, middle, last, branches, skip)
    np.maximum(peak, later, out=peak, where=repeats > 1)

    pooled = last[population[:, genes.M] - 1, np.arange(len(population))] + features
    ends = np.maximum(np.maximum(int(np.prod(input_shape)) + stem, pooled), features + layers.outputs[:, -1])
    result: Counts = np.max(peak, axis=0, where=repeats > 0, initial=0)
    np.maximum(result, ends, out=result)
    return result


def _residual_block(
    into: Counts, first: Counts, middle: Counts, last: Counts, branches: Counts, skip: Counts
) -> Counts:
    """``(b, n)``: peak of a residual block with an identity skip or without a skip.

    Args:
        into: ``(b, n)``: size of the block's input. All arguments have this shape.
        first: size after the first layer of a branch.
        middle: size after the middle layer of a branch, if there is one.
        last: size after the last layer of a branch, which is also the size of the sum.
        branches: B.
        skip: 1 if there is a skip.
    """
    # After the first layer of a branch, the last layer needs the most memory: a stride keeps at least a quarter of the
    # area, and a bottleneck has at most a quarter of the channels inside. A basic block has no middle layer; its first
    # layer has the size that a middle layer would have.
    after = middle + last
    # The peak is in the last branch, which has the largest sum in memory, or in the branch before, which still needs
    # the block's input.
    peak: Counts = np.maximum(into + first, skip * into + after) + (branches > 1) * last
    before = into + after + (branches > 2) * last
    np.maximum(peak, before, out=peak, where=branches > 1)
    return peak
