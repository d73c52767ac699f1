"""How signals flow: networks without branches and skips are plain chains, and no power is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.flow import flow
from ohmnas.spaces.resnet.kinds import ENTRY, LAST, SKIP, by_gene, by_kind
from tests.spaces.conftest import SPACE, populations

shapes = st.sampled_from([(1, 8, 8), (3, 9, 7), (1, 1, 1)])


@given(populations())
def test_a_network_without_branches_and_skips_is_a_plain_chain(population: Population) -> None:
    blocks, active = genes.block_view(population), genes.active_blocks(population)
    blocks[..., genes.B], blocks[..., genes.SKIP] = active, 0
    layers = SPACE.layers(population)
    found, chain = layers.flow(), Layers.flow(layers)
    occurs = layers.count.T > 0
    assert_allclose(found.through[occurs], chain.through[occurs])
    assert (found.through[1:-1][~occurs[1:-1]] == 0).all()
    assert_allclose(found.depth, chain.depth)
    inner = np.where(layers.count > 0, layers.outputs, np.iinfo(np.int64).max)
    assert_array_equal(found.narrowest, by_kind(inner.T)[[ENTRY]].min(axis=(0, 1)))


@given(populations())
def test_a_converted_skip_carries_what_the_branches_do_not(population: Population) -> None:
    layers = SPACE.layers(population)
    kinds, there = by_kind(layers.flow().through), by_kind(layers.count.T)[SKIP] > 0
    assert_allclose((kinds[ENTRY] + kinds[SKIP])[there], 1.0)
    repeats = by_gene(population, np.int64)[0]
    assert (kinds[LAST] <= repeats + 1e-12).all()
    assert (kinds >= 0).all()


@given(populations(), shapes)
def test_the_centre_of_a_kernel_always_lies_inside(population: Population, shape: tuple[int, int, int]) -> None:
    layers = SPACE.layers(population)
    found = flow(population, by_gene(population, np.int64), shape, layers)
    assert found.inside.shape == layers.inputs.T.shape
    assert (found.inside <= layers.inputs.T + 1e-9).all()
    occurs = layers.count.T[1:] > 0
    assert (found.inside[1:][occurs] >= layers.inputs.T[1:][occurs] / 9 - 1e-9).all()
    assert (found.inside[1:][occurs] >= 1 - 1e-9).all()
