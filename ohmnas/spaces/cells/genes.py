"""Gene table of the cells: one operation per edge."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import permutations, product
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.cells.cell import EDGES, NODES, OPERATIONS
from ohmnas.spaces.genes import Gene, Genes, Population

NONE, SKIP, CONV1, CONV3, POOL = range(len(OPERATIONS))
TABLE: Final = Genes(
    tuple(
        Gene(f"E{source}{target}", tuple(range(len(OPERATIONS))), OPERATIONS, ordered=False, group="operation")
        for source, target in EDGES
    )
)
"""``E02`` is the operation from node 0 to node 2."""
_WEIGHTS: Final = len(OPERATIONS) ** np.arange(len(EDGES))[::-1]
_COSTS: Final = (0, 0, 10, 90, 1)
"""Relative costs of the operations, roughly proportional to their parameters. They decide which of several equal cells
is canonical."""


def canonical(population: Population) -> Population:
    """``(n, 6)``: one genome for all cells with the same function.

    Cells have the same function if they differ only in the numbering of inner nodes, in operations that have no input
    or do not affect the output, or in how skips group the terms of a sum. Two convolutions of the same input have
    different weights, so they are different terms. The cheapest cell of each class of equal cells represents the
    class; ties go to the first cell.
    """
    found: Population = every()[_representatives()[numbers(population)]]
    return found


def numbers(population: Population) -> npt.NDArray[np.intp]:
    """``(n,)``: number of each genome, its row in `every`."""
    found: npt.NDArray[np.intp] = population.astype(np.intp) @ _WEIGHTS
    return found


@cache
def every() -> Population:
    """``(15625, 6)``: all genomes, by number."""
    return np.array(
        np.unravel_index(np.arange(len(OPERATIONS) ** len(EDGES)), (len(OPERATIONS),) * len(EDGES))
    ).T.astype(np.int16)


@cache
def _representatives() -> npt.NDArray[np.intp]:
    """``(15625,)``: number of the representative of each genome."""
    genomes = every()
    cost = np.array(_COSTS)[genomes].sum(axis=1)
    names: dict[object, int] = {}
    classes = np.array([names.setdefault(_function(genome), len(names)) for genome in genomes.tolist()])
    order = np.lexsort((np.arange(len(genomes)), cost, classes))
    first = np.unique(classes[order], return_index=True)[1]
    found: npt.NDArray[np.intp] = order[first][classes]
    return found


def _function(operations: list[int]) -> object:
    """Sum at node 3 as nested tuples in a fixed order; equal for cells with the same function."""
    plain, terms = _sum(operations, {})
    alike: dict[object, list[int]] = {}
    for edge in _read(operations):
        if operations[edge] in (CONV1, CONV3) and edge in terms:
            alike.setdefault(terms[edge], []).append(edge)
    if all(len(edges) == 1 for edges in alike.values()):
        return plain
    # numbers tell convolutions of the same input apart; of all numberings, the first in sort order represents the cell
    ways = product(*(permutations(edges) for edges in alike.values()))
    numbered = ({edge: number for edges in way for number, edge in enumerate(edges)} for way in ways)
    return min((_sum(operations, numbers)[0] for numbers in numbered), key=repr)


def _read(operations: list[int]) -> list[int]:
    """Edges on a path to node 3, without ``none``."""
    reached = {NODES - 1}
    read = []
    for edge in reversed(range(len(EDGES))):  # edges from a node come after edges to it
        source, target = EDGES[edge]
        if target in reached and operations[edge] != NONE:
            reached.add(source)
            read.append(edge)
    return read


def _sum(operations: list[int], numbers: Mapping[int, int]) -> tuple[tuple[object, ...], dict[int, object]]:
    """Sum at node 3, and the term of each convolution and pooling that has an input, as nested tuples.

    Args:
        operations: operation of each edge, an index into `OPERATIONS`.
        numbers: edge -> number, to tell convolutions of the same input apart; 0 for missing edges.
    """
    sums: list[tuple[object, ...]] = [("input",)]
    terms: dict[int, object] = {}
    for target in range(1, NODES):
        own: list[object] = []
        for edge, ((source, end), operation) in enumerate(zip(EDGES, operations, strict=True)):
            if end != target or operation == NONE or not sums[source]:
                continue
            if operation == SKIP:
                own.extend(sums[source])
            else:
                terms[edge] = (operation, numbers.get(edge, 0), sums[source])
                own.append(terms[edge])
        sums.append(tuple(sorted(own, key=repr)))
    return sums[-1], terms
