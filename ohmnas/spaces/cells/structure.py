"""Features of a cell for a surrogate: its paths, the edges on them, and how signals change in the stack of cells.

Isomorphic cells share one genome (`genes.canonical`), but similar cells can still differ in many genes. Paths from the
input to the output describe them better (path encoding: White et al., BANANAS, 2021). Signals and errors are propagated
through the stack of cells as in mean-field theory (Schoenholz et al., 2017), without data or a network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.cells.cell import EDGES, NODES
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP, every, numbers
from ohmnas.spaces.genes import Population

Values = npt.NDArray[np.float64]

PATHS: Final = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""Edges of each path from the input to the output, as indices into `EDGES`."""
NAMES: Final = (
    "convolutions",
    "convolutions_3x3",
    "poolings",
    "skips",
    "longest_way",
    "shortest_way",
    "mean_way",
    "paths",
    "paths_without_convolution",
    "paths_of_skips",
    "paths_of_one_convolution",
    "paths_of_two_convolutions",
    "paths_with_3x3",
    "paths_with_pooling",
    "receptive_field",
    "mean_receptive_field",
    "convolutions_of_input",
    "convolutions_of_output",
    "direct_power",
    "independent_terms",
    "log2_power",
    "effective_cells",
    "similarity_of_near",
    "similarity_of_far",
    "log2_gradient",
    "log2_accumulated_error",
    "log2_smoothing",
)
"""Rows of `structure`. The first four count the edges on a path from the input to the output."""
_STACK: Final = 5
"""Cells in a stage. Residual blocks between the stages normalise the power."""
_STAGES: Final = 3
_NEAR: Final = 0.9
_FAR: Final = 0.3
"""Correlations of two inputs; their correlation at the output is a feature."""
_ERROR: Final = 0.02
"""Error variance that a convolution adds to its output, as a share of the output's power. Any small value ranks cells
the same way."""
_RECTIFIED: Final = 1.0 / np.pi
"""Uncentred correlation of two independent rectified normal values; batch norm removes it."""
_LEAST: Final = 2.0**-20


def structure(population: Population) -> Values:
    """``(len(NAMES), n)``: see `NAMES`; counts are 0 if no path reaches the output.

    Args:
        population: ``(n, 6)``.
    """
    found: Values = _every()[:, numbers(population)]
    return found


@cache
def _every() -> Values:
    """``(len(NAMES), 15625)``: features of all cells, by number. Looking them up is faster than computing them."""
    return np.vstack([_paths(every()), _signals(every())])


def work(population: Population) -> Values:
    """``(w, n)``: number of operations of each kind on each edge and in total.

    The first half of the rows counts all operations, the second half only operations that the output needs.

    A compiler removes operations whose result is unused. It cannot remove operations whose input is always zero.

    Args:
        population: ``(n, 6)``; need not be canonical.
    """
    codes = population.T
    reaches = np.zeros((NODES, codes.shape[1]), dtype=bool)
    reaches[-1] = True
    for edge in reversed(range(len(EDGES))):  # edges from a node come after edges to it
        source, target = EDGES[edge]
        reaches[source] |= (codes[edge] != NONE) & reaches[target]
    needed = np.array([codes[edge] * reaches[target] for edge, (_, target) in enumerate(EDGES)])
    parts = [each == code for each in (codes, needed) for code in (SKIP, CONV1, CONV3, POOL)]
    return np.vstack([rows for part in parts for rows in (part, part.sum(axis=0)[None])]).astype(np.float64)


def _paths(population: Population) -> Values:
    """``(18, n)``: counts of paths, and of the edges on them."""
    codes = population.T
    is_conv, is_3x3, is_pool, is_skip = (
        (codes == CONV1) | (codes == CONV3),
        codes == CONV3,
        codes == POOL,
        codes == SKIP,
    )
    there = np.array([(codes[list(path)] != NONE).all(axis=0) for path in PATHS])
    convs, large, pools, wide = (
        np.array([of[list(path)].sum(axis=0) for path in PATHS]) for of in (is_conv, is_3x3, is_pool, is_3x3 | is_pool)
    )
    lengths = np.array([len(path) for path in PATHS])[:, None]
    skips = np.array([is_skip[list(path)].sum(axis=0) for path in PATHS])
    working = np.array(
        [np.any([there[i] for i, path in enumerate(PATHS) if edge in path], axis=0) for edge in range(len(EDGES))]
    )
    paths = there.sum(axis=0)
    some = np.maximum(paths, 1)
    from_input = [edge for edge, (source, _) in enumerate(EDGES) if source == 0]
    to_output = [edge for edge, (_, target) in enumerate(EDGES) if target == NODES - 1]
    return np.array(
        [
            (is_conv & working).sum(axis=0),
            (is_3x3 & working).sum(axis=0),
            (is_pool & working).sum(axis=0),
            (is_skip & working).sum(axis=0),
            (convs * there).max(axis=0),
            np.where(paths > 0, np.where(there, convs, NODES).min(axis=0), 0),
            (convs * there).sum(axis=0) / some,
            paths,
            (there & (convs == 0)).sum(axis=0),
            (there & (skips == lengths)).sum(axis=0),
            (there & (convs == 1)).sum(axis=0),
            (there & (convs == 2)).sum(axis=0),
            (there & (large > 0)).sum(axis=0),
            (there & (pools > 0)).sum(axis=0),
            (wide * there).max(axis=0),
            (wide * there).sum(axis=0) / some,
            (is_conv & working)[from_input].sum(axis=0),
            (is_conv & working)[to_output].sum(axis=0),
        ],
        dtype=np.float64,
    )


def _signals(population: Population) -> Values:
    """``(9, n)``: power, correlation of two inputs, gradient and error, propagated through the stack.

    Each node is a weighted sum of the cell's input and the outputs of convolutions, which have power 1 and are
    independent.
    """
    n, codes = len(population), population.T
    is_conv = (codes == CONV1) | (codes == CONV3)
    passes = (codes == SKIP) | (codes == POOL)
    terms = np.zeros((NODES, 1 + len(EDGES), n))  # weight of the input and of each edge's convolution in each node
    smooth = np.zeros((NODES, n))  # poolings along the paths, weighted
    terms[0, 0] = 1.0
    exists = np.zeros((NODES, n), dtype=bool)
    exists[0] = True
    for edge, (source, target) in enumerate(EDGES):
        terms[target] += np.where(passes[edge], terms[source], 0.0)
        terms[target, 1 + edge] += is_conv[edge] & exists[source]
        smooth[target] += np.where(passes[edge] & exists[source], smooth[source] + (codes[edge] == POOL), 0.0)
        exists[target] |= exists[source] & (codes[edge] != NONE)
    squares = terms**2
    direct, own = squares[-1, 0], squares[-1, 1:].sum(axis=0)
    state = {
        "near": np.full(n, _NEAR),
        "far": np.full(n, _FAR),
        "error": np.full(n, _ERROR),
        "gradient": np.zeros(n),
        "cells": np.zeros(n),
        "power": np.zeros(n),
    }
    for _ in range(_STAGES):
        power = np.ones(n)
        for _ in range(_STACK):
            whole = direct * power + own
            for name in ("near", "far"):
                state[name] = _next(terms, is_conv, power, state[name], _rectified)[-1]
            state["error"] = _next(terms, is_conv, power, state["error"], lambda error: error + _ERROR)[-1]
            gain = _next(terms, is_conv, power, np.ones(n), lambda gain: gain)[-1] * whole / np.maximum(power, _LEAST)
            state["gradient"] += np.log2(np.maximum(gain, _LEAST))
            state["cells"] += own / np.maximum(whole, _LEAST)
            power = np.clip(whole, _LEAST, 1e12)
        state["power"] += np.log2(power) / _STAGES
    return np.array(
        [
            direct,
            own,
            state["power"],
            state["cells"],
            state["near"],
            state["far"],
            state["gradient"],
            np.log2(np.maximum(state["error"], _LEAST)),
            np.log2(1.0 + smooth[-1]),
        ]
    )


def _next(
    terms: Values, is_conv: npt.NDArray[np.bool_], power: Values, ratio: Values, through: Callable[[Values], Values]
) -> Values:
    """``(NODES, n)``: a quantity relative to the power (correlation, error or gradient) at each node.

    Args:
        terms: ``(NODES, 7, n)``: weights of the input and of each edge's convolution in each node.
        is_conv: ``(6, n)``.
        power: ``(n,)``: power of the cell's input.
        ratio: ``(n,)``: ratio at the cell's input.
        through: called with the ratio at the source of a convolution; returns the ratio after the convolution.
    """
    powers = np.concatenate([power[None], np.ones((len(EDGES), len(power)))])
    ratios = np.zeros_like(powers)
    ratios[0] = ratio
    nodes = np.zeros((NODES, len(power)))
    nodes[0] = ratio
    done = {0}
    for edge, (source, _) in enumerate(EDGES):
        if source not in done:
            weights = terms[source] ** 2 * powers
            nodes[source] = (weights * ratios).sum(axis=0) / np.maximum(weights.sum(axis=0), _LEAST)
            done.add(source)
        ratios[1 + edge] = np.where(is_conv[edge], through(nodes[source]), 0.0)
    weights = terms[-1] ** 2 * powers
    nodes[-1] = (weights * ratios).sum(axis=0) / np.maximum(weights.sum(axis=0), _LEAST)
    return nodes


def _rectified(correlation: Values) -> Values:
    """Correlation after ReLU, convolution and batch norm (Cho and Saul, 2009)."""
    c = np.clip(correlation, -1.0, 1.0)
    kernel = (np.sqrt(1.0 - c * c) + c * (np.pi - np.arccos(c))) / np.pi
    return np.asarray((kernel - _RECTIFIED) / (1.0 - _RECTIFIED))
