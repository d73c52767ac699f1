"""Exact peak memory of whole populations: how many activation values a network keeps at once, without building it."""

from __future__ import annotations

import numpy as np

from ohmnas.spaces import cost, genes
from ohmnas.spaces.cost import Counts, LayerTable
from ohmnas.spaces.genes import Population

_AT_ONCE = 1000
"""Architectures whose layer tables stay near the processor."""


def peak_memory(
    population: Population, input_shape: tuple[int, int, int], classes: int = 0, table: LayerTable | None = None
) -> Counts:
    """The largest number of activation values that are alive at once while one image goes through the network.

    Layers run one after another. A layer needs its whole input and its whole output at once; batch norm, ReLU and sums
    are in place. A value is freed when the last layer that reads it is done. The order in a residual block:

    - its branches run one after another, and each but the first is added into the sum of those before it, which stays
      alive meanwhile: the last layer of such a branch needs its input, its output and the sum;
    - the block's input stays until the first layer of the last branch is done, or, if there is a skip, to the end;
    - the skip comes last: an identity is added into the sum in place; a 1x1 convolution needs the block's input, the
      sum and its own output.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image; the image counts while the stem reads it.
        classes: outputs of the linear layer; without them the result can only be too low where they are more than the
            values of every feature map.
        table: `cost.layer_table` of the same networks, where it is known.

    Returns:
        ``(n,)``: the peak; times the bytes of a value it is the memory that activations need.
    """
    if table is not None:
        return _peak_memory(population, table, input_shape, classes)
    peak = np.empty(len(population), dtype=np.int64)
    for start in range(0, len(population), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        known = cost.layer_table(population[rows], input_shape, classes)
        peak[rows] = _peak_memory(population[rows], known, input_shape, classes)
    return peak


def _peak_memory(population: Population, table: LayerTable, input_shape: tuple[int, int, int], classes: int) -> Counts:
    count, values = table.count.T, (table.outputs * table.positions).T  # of each layer's output
    entry, first, middle, last, _ = cost.by_kind(values)
    repeats, branches, _, _, skip = cost.by_gene(population, np.int64)
    stem, features = values[0], table.inputs[:, -1]

    into = np.concatenate([stem[None], last[:-1]])
    peak = _residual_block(into, entry, middle, last, branches, skip)
    np.maximum(peak, cost.by_kind(count)[cost.SKIP] * (into + 2 * last), out=peak)
    later = _residual_block(last, first, middle, last, branches, skip)
    np.maximum(peak, later, out=peak, where=repeats > 1)

    pooled = last[population[:, genes.M] - 1, np.arange(len(population))] + features
    ends = np.maximum(np.maximum(int(np.prod(input_shape)) + stem, pooled), features + classes)
    result: Counts = np.max(peak, axis=0, where=repeats > 0, initial=0)
    np.maximum(result, ends, out=result)
    return result


def _residual_block(
    into: Counts, first: Counts, middle: Counts, last: Counts, branches: Counts, skip: Counts
) -> Counts:
    """``(b, n)``: the peak of a residual block with an identity as its skip or none.

    Args:
        into: ``(b, n)``, as are all: values of the block's input.
        first: values behind the first layer of a branch.
        middle: values behind its middle layer, if there is one.
        last: values behind its last layer, and so of the sum.
        branches: B.
        skip: 1 if there is a skip.
    """
    # Behind the first layer of a branch. Its last layer is the one with most: a stride leaves no less than a quarter of
    # the area, and inside of a bottleneck is no more than a quarter of the channels. A basic block has no middle layer,
    # but one would be as large as its first, which stands in its place.
    behind = middle + last
    # Only the last branch, which has the largest sum beside it, and the one before, which keeps the block's input, can
    # be where the peak is.
    peak: Counts = np.maximum(into + first, skip * into + behind) + (branches > 1) * last
    before = into + behind + (branches > 2) * last
    np.maximum(peak, before, out=peak, where=branches > 1)
    return peak
