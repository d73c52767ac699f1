from __future__ import annotations

import numpy as np
from hypothesis import given

from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from tests.spaces.conftest import designs, populations


def test_every_column_has_one_name() -> None:
    assert genes.GENES == 28
    assert len(set(genes.GENE_NAMES)) == 28
    assert genes.GENE_NAMES[genes.FIRST_BLOCK_GENE : genes.FIRST_BLOCK_GENE + 5] == ("R1", "B1", "CT1", "WF1", "skip1")


def test_the_block_view_writes_to_the_population() -> None:
    population = np.zeros((3, genes.GENES), dtype=np.int16)
    genes.block_view(population)[1, 4, genes.SKIP] = 1
    assert population[1, genes.GENE_NAMES.index("skip5")] == 1


@given(populations())
def test_inactive_blocks_are_zero_and_active_ones_are_not(population: Population) -> None:
    blocks, active = genes.block_view(population), genes.active_blocks(population)
    assert (blocks[~active] == 0).all()
    assert (blocks[active][:, [genes.R, genes.B, genes.CT, genes.WF]] > 0).all()
    assert (active.sum(axis=1) == population[:, genes.M]).all()


@given(designs())
def test_further_columns_are_left_alone(population: Population) -> None:
    population.setflags(write=False)
    networks = population[:, : genes.GENES]
    np.testing.assert_array_equal(genes.block_view(population), genes.block_view(networks))
    np.testing.assert_array_equal(genes.active_blocks(population), genes.active_blocks(networks))
    shallower = population.copy()
    shallower[:, genes.M] = 1
    cleared = genes.clear_inactive(shallower)
    np.testing.assert_array_equal(cleared[:, genes.GENES :], population[:, genes.GENES :])
    assert (cleared[:, genes.FIRST_BLOCK_GENE + genes.GENES_PER_BLOCK : genes.GENES] == 0).all()


def test_the_block_view_writes_to_a_population_with_further_columns() -> None:
    population = np.zeros((3, genes.GENES + 4), dtype=np.int16)
    genes.block_view(population)[:] = 1
    assert (population[:, genes.FIRST_BLOCK_GENE : genes.GENES] == 1).all()
    assert population.sum() == 3 * genes.BLOCKS * genes.GENES_PER_BLOCK
