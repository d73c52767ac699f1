"""Exact peak memory of NAS-Bench-201 networks, for the order of operations that needs the least memory.

A node is a sum. It is in memory from its first incoming edge until its last outgoing edge is done. A convolution or
pooling needs its source, its result and the sum that it is added to. A skip is added in place; the first skip into a
node is copied only if its source is read again.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.cells.cell import EDGES, NODES
from ohmnas.spaces.cells.genes import NONE, SKIP, every, numbers
from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts
from ohmnas.spaces.sides import sides

Mask = npt.NDArray[np.bool_]

_NEVER: Final = 100
"""Peak assigned to impossible orders."""


def peak_memory(
    population: Population, input_shape: tuple[int, int, int], channels: tuple[int, ...], classes: Counts
) -> Counts:
    """``(n,)``: largest number of activations in memory at once for one image.

    Args:
        population: ``(n, 6)``; need not be canonical.
        input_shape: channels, height and width of an image.
        channels: channels of each stage.
        classes: ``(n,)``: outputs of the linear layer.
    """
    image, height, width = input_shape
    areas = [high * wide for high, wide in sides(height, width, len(channels))]
    values = [each * area for each, area in zip(channels, areas, strict=True)]
    fixed = [image * height * width + values[0], values[-1] + channels[-1]]
    fixed += [
        _reduction(before, after, into * area)
        for (before, after), into, area in zip(pairwise(values), channels, areas[1:], strict=False)
    ]
    peak: Counts = np.maximum(cell_peak(population) * max(values), max(fixed))
    return np.maximum(peak, channels[-1] + classes)


def _reduction(before: int, after: int, pooled: int) -> int:
    """Peak of a residual block between two stages, in the best order of its branches.

    Either the first convolution and the pooling read the input before the second convolution runs, or the whole
    shortcut runs first. No other order needs less.

    Args:
        before: number of values in the block's input.
        after: number of values in the block's output, which is as large as the outputs of its first convolution and its
            shortcut.
        pooled: number of values between the pooling and the convolution of the shortcut.
    """
    pooling_early = max(before + after + pooled, pooled + 2 * after)
    shortcut_first = max(before + pooled + after, before + 2 * after, 3 * after)
    return min(pooling_early, shortcut_first)


def cell_peak(population: Population) -> Counts:
    """``(n,)``: largest number of feature maps in memory at once inside a cell, in the best order of its edges."""
    found: Counts = _every_peak()[numbers(population)].astype(np.int64)
    return found


_INTO, _OUT_OF = (
    [sum(1 << edge for edge, ends in enumerate(EDGES) if ends[side] == node) for node in range(NODES)]
    for side in (1, 0)
)
"""Edges into and out of each node, as bits."""


@cache
def _every_peak() -> npt.NDArray[np.uint8]:
    """``(15625,)``: `cell_peak` of each genome, by dynamic programming over the sets of edges that are done."""
    population = every()
    runs = _running(population)
    skips = [population[:, edge] == SKIP for edge in range(len(EDGES))]
    states = 1 << len(EDGES)
    best = np.full((states, len(population)), _NEVER, dtype=np.uint8)
    best[0] = 1  # the input
    for done in range(1, states):
        for edge in range(len(EDGES)):
            before = done & ~(1 << edge)
            if before != done:
                peak = np.maximum(best[before], _during(edge, before, runs, skips[edge]))
                np.minimum(best[done], peak, out=best[done])
    return best[runs, np.arange(len(population))]


def _running(population: Population) -> npt.NDArray[np.uint8]:
    """``(n,)``: edges that run, as bits: they have an input and are not ``none``."""
    exists = np.zeros((NODES, len(population)), dtype=bool)
    exists[0] = True
    runs = np.zeros(len(population), dtype=np.uint8)
    for edge, (source, target) in enumerate(EDGES):
        here = (population[:, edge] != NONE) & exists[source]
        runs |= here.astype(np.uint8) << np.uint8(edge)
        exists[target] |= here
    return runs


def _during(edge: int, done: int, runs: npt.NDArray[np.uint8], is_skip: Mask) -> npt.NDArray[np.uint8]:
    """``(n,)``: feature maps in memory while an edge runs after the edges in `done`; `_NEVER` if it cannot run."""
    source, target = EDGES[edge]
    still = runs & np.uint8(~done & 0xFF)

    def begun(node: int) -> Mask:
        return (runs & np.uint8(done & _INTO[node])) != 0 if node else np.ones(len(runs), dtype=bool)

    others = np.zeros(len(runs), dtype=np.uint8)
    for node in range(NODES):
        if node != target:
            needed = (still & np.uint8(_INTO[node] | _OUT_OF[node])) != 0
            others += begun(node) & (needed | (node == NODES - 1))
    is_sum = begun(target)
    read_again = (still & np.uint8(_OUT_OF[source] & ~(1 << edge))) != 0
    own = ~is_skip | (~is_sum & read_again)  # otherwise the first skip into a node reuses its source's memory
    possible = (still & np.uint8(1 << edge) != 0) & ((still & np.uint8(_INTO[source])) == 0) & begun(source)
    return np.where(possible, others + is_sum + own, _NEVER).astype(np.uint8)
