"""Peak memory against a runtime with a set of live tensors, in every order of its operations."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.spaces.cells.cell import EDGES, REFERENCES
from ohmnas.spaces.cells.genes import CONV3, NONE, SKIP
from ohmnas.spaces.cells.layers import layers
from ohmnas.spaces.cells.memory import cell_peak
from ohmnas.spaces.genes import Population

from .conftest import SPACE, codes

SHAPES = [(3, 32, 32), (1, 8, 8), (3, 9, 7), (2, 1, 5), (40, 6, 6), (1, 1, 1)]


def one(genome: tuple[int, ...]) -> Population:
    return np.array([genome], dtype=np.int16)


def run_cell(genome: tuple[int, ...], order: tuple[int, ...]) -> int | None:
    """The peak in feature maps in this order of the edges; None if an edge comes before its input is whole."""
    alive, peak = {0}, 1
    for place, edge in enumerate(order):
        (source, target), rest = EDGES[edge], [EDGES[other] for other in order[place + 1 :]]
        if source not in alive or any(end == source for _, end in rest):
            return None
        read_again = any(start == source for start, _ in rest)
        in_place = genome[edge] == SKIP and (target in alive or not read_again)
        peak = max(peak, len(alive) + (not in_place))
        alive.add(target)
        if not read_again:
            alive.remove(source)
        if target != 3 and all(target not in ends for ends in rest):
            alive.remove(target)  # nobody reads it
    return peak


def best_peak(genome: tuple[int, ...]) -> int:
    reached, edges = {0}, []
    for edge, ((source, target), operation) in enumerate(zip(EDGES, genome, strict=True)):
        if operation != NONE and source in reached:
            reached.add(target)
            edges.append(edge)
    peaks = [run_cell(genome, order) for order in permutations(edges)]
    return min(peak for peak in peaks if peak is not None)


@given(codes)
@settings(max_examples=60)
def test_the_peak_of_a_cell_is_that_of_its_best_order(genome: tuple[int, ...]) -> None:
    assert cell_peak(one(genome)).tolist() == [best_peak(genome)]


def test_another_order_than_that_of_the_edges_can_need_less() -> None:
    genomes = SPACE.sample(300, np.random.default_rng(0))
    written = [run_cell(tuple(row), tuple(e for e in range(6) if row[e] != NONE)) for row in genomes.tolist()]
    pairs = [(first, best) for first, best in zip(written, cell_peak(genomes).tolist(), strict=True) if first]
    assert all(best <= first for first, best in pairs)
    assert any(best < first for first, best in pairs)


def reduction(before: int, behind: int, pooled: int) -> int:
    """The best order of: first convolution a, second b (added), pooling p, its convolution s (added)."""
    sizes = {"a": behind, "b": behind, "p": pooled, "s": behind}
    needs = {"a": "x", "b": "a", "p": "x", "s": "p"}
    peaks = []
    for order in permutations("abps"):
        if order.index("a") > order.index("b") or order.index("p") > order.index("s"):
            continue
        alive, peak, total = {"x": before}, 0, False
        for place, name in enumerate(order):
            peak = max(peak, sum(alive.values()) + sizes[name])
            if all(needs[other] != needs[name] for other in order[place + 1 :]):
                del alive[needs[name]]
            if name in "ap":
                alive[name] = sizes[name]
            elif not total:
                alive["sum"], total = behind, True
        peaks.append(peak)
    return min(peaks)


@given(codes, st.sampled_from(SHAPES), st.sampled_from([2, 10, 5000]))
@settings(max_examples=60)
def test_the_peak_of_a_network_is_that_of_its_parts(
    genome: tuple[int, ...], shape: tuple[int, int, int], classes: int
) -> None:
    channels, height, width = shape
    areas = [-(-height // 2**stage) * -(-width // 2**stage) for stage in range(3)]
    values = [each * area for each, area in zip((16, 32, 64), areas, strict=True)]
    peaks = [channels * areas[0] + values[0], values[-1] + 64, 64 + classes]
    peaks += [best_peak(genome) * each for each in values]
    peaks += [
        reduction(before, behind, into * area)
        for (before, behind), into, area in zip(pairwise(values), (16, 32), areas[1:], strict=True)
    ]
    assert layers(one(genome), shape, classes).peak_memory().tolist() == [max(peaks)]


def test_a_chain_needs_two_maps_and_a_residual_block_three() -> None:
    chain = (CONV3, NONE, CONV3, NONE, NONE, CONV3)
    assert cell_peak(one(chain)).tolist() == [2]
    assert cell_peak(SPACE.encode([REFERENCES["cells-basic-block"]])).tolist() == [3]


def test_no_networks_have_no_peaks() -> None:
    assert layers(SPACE.encode([]), (3, 32, 32), 10).peak_memory().shape == (0,)
