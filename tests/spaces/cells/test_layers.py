"""Costs of cells: against what their authors published, and a runtime that keeps a set of live tensors."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.spaces.cells.cell import EDGES, Cell
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP
from ohmnas.spaces.cells.layers import KINDS_PER_STAGE, LAYER_KINDS, layers, longest_path
from ohmnas.spaces.genes import Population

from .conftest import PUBLISHED, SPACE, codes, every

SHAPES = [(3, 32, 32), (1, 8, 8), (3, 9, 7), (2, 1, 5), (40, 6, 6), (1, 1, 1)]
shapes = st.sampled_from(SHAPES)


def one(genome: tuple[int, ...]) -> Population:
    return np.array([genome], dtype=np.int16)


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="needs the published cells in OHMNAS_DATA")
def test_parameters_and_flops_are_the_published_ones() -> None:
    """Their FLOPs count 3 for each output of a convolution in a cell, and 9 for each of a pooling.

    The rest, 160,832, is that of batch norms, ReLU and poolings which all cells share. A stage's five cells have 81,920
    outputs of each edge where the image is largest, 40,960 and 20,480 in the next two: 143,360 in all.
    """
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9445
    operations = [Cell.from_str(row["net_str"]) for row in rows]
    population = np.array([[_CODES[name] for name in cell.operations] for cell in operations], dtype=np.int16)
    params, macs = SPACE.params_and_macs(population)
    assert [round(float(row["params"]) * 1e6) for row in rows] == params.tolist()
    convolutions = ((population == CONV1) | (population == CONV3)).sum(axis=1)
    poolings = (population == POOL).sum(axis=1)
    flops = macs + 3 * 143_360 * convolutions + 9 * 143_360 * poolings + 160_832
    assert [round(float(row["flops"]) * 1e6) for row in rows] == flops.tolist()


_CODES = {"none": NONE, "skip_connect": SKIP, "nor_conv_1x1": CONV1, "nor_conv_3x3": CONV3, "avg_pool_3x3": POOL}


def test_an_empty_cell_has_the_parameters_that_all_share() -> None:
    """As published for the cell of zeros: 0.073306 million."""
    assert SPACE.params(one((NONE,) * 6)).tolist() == [73_306]


@given(codes)
def test_each_convolution_adds_its_weights_and_batch_norm_in_fifteen_cells(genome: tuple[int, ...]) -> None:
    widths = (16, 32, 64)
    added = {CONV1: sum(5 * (c * c + 2 * c) for c in widths), CONV3: sum(5 * (9 * c * c + 2 * c) for c in widths)}
    expected = 73_306 + sum(added.get(code, 0) for code in genome)
    assert SPACE.params(one(genome)).tolist() == [expected]


def ways(genome: tuple[int, ...], node: int = 0) -> Iterator[int]:
    """Convolutions on each way from a node to the last."""
    if node == 3:
        yield 0
    for (source, target), operation in zip(EDGES, genome, strict=True):
        if source == node and operation != NONE:
            for rest in ways(genome, target):
                yield rest + (operation in {CONV1, CONV3})


def test_the_longest_way_is_that_of_all_ways() -> None:
    found = longest_path(every()).tolist()
    assert found == [max(ways(tuple(genome)), default=0) for genome in every().tolist()]


@given(codes, shapes)
@settings(max_examples=100)
def test_a_share_of_the_power_comes_through_each_edge(genome: tuple[int, ...], shape: tuple[int, int, int]) -> None:
    """All of it comes through the way of a chain, and half through each of two equal branches."""
    flow = layers(one(genome), shape, 10).flow()
    assert flow.through.shape == flow.inside.shape == (LAYER_KINDS, 1)
    assert (flow.through >= 0).all()
    edges = flow.through[4:10, 0]
    assert (edges <= 5 + 1e-9).all()
    assert flow.depth[0] == pytest.approx(2 + 2 * 1.5 + 3 * edges.sum())
    assert flow.depth[0] <= 5 + 3 * 5 * longest_path(one(genome))[0] + 1e-9


def test_golden_shares_of_two_branches_and_of_a_chain() -> None:
    branches = layers(one((NONE, CONV3, NONE, CONV3, NONE, SKIP)), (3, 32, 32), 10).flow()
    edges = dict(zip(EDGES, (branches.through[4:10, 0] / 5).tolist(), strict=True))
    assert edges == {(0, 1): 0, (0, 2): 0.5, (1, 2): 0, (0, 3): 0.5, (1, 3): 0, (2, 3): 0}
    chain = layers(one((CONV3, NONE, CONV1, NONE, NONE, CONV3)), (3, 32, 32), 10).flow()
    assert (chain.through[4:10, 0] / 5).tolist() == [1, 0, 1, 0, 0, 1]
    assert chain.narrowest.tolist() == [16.0]
    assert layers(one((SKIP,) * 6), (3, 32, 32), 10).flow().narrowest.tolist() == [np.inf]


def test_steps_are_those_of_the_longest_way() -> None:
    # stem 1024; a stage's five cells each its longest way; two convolutions of a reduction; linear layer 1
    genome = (CONV3, CONV1, CONV1, SKIP, NONE, CONV3)
    steps = layers(one(genome), (3, 32, 32), 10).tiling().steps
    assert steps.tolist() == [1024 + 5 * 3 * (1024 + 256 + 64) + 2 * (256 + 64) + 1]


def test_every_stage_has_its_kinds() -> None:
    found = layers(every()[:50], (3, 32, 32), 10)
    assert found.count.shape == (50, 2 + 3 * KINDS_PER_STAGE)
    assert (found.count[:, 1:4] == 0).all()  # the first stage has no reduction
    assert (found.count[:, 10:13] == 1).all()


def test_no_cells_have_no_steps() -> None:
    assert not len(layers(np.empty((0, 6), dtype=np.int16), SPACE.input_shape, SPACE.classes).tiling().steps)
