from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.kinds import KINDS_PER_BLOCK, LAYER_KINDS, SKIP, by_gene, by_kind
from tests.spaces.conftest import DESIGNS, SPACE


def test_genes_of_blocks_come_gene_by_gene(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(7, rng)
    found = by_gene(population, np.int64)
    assert found.shape == (len(genes.BLOCK_GENE_NAMES), genes.BLOCKS, 7)
    assert found.dtype == np.int64
    for place, name in enumerate(genes.BLOCK_GENE_NAMES):
        for block in range(genes.BLOCKS):
            assert_array_equal(found[place, block], population[:, genes.GENE_NAMES.index(f"{name}{block + 1}")])


def test_genes_of_a_chip_do_not_matter(rng: np.random.Generator) -> None:
    designs = DESIGNS.sample_uniform(7, rng)
    assert_array_equal(by_gene(designs, np.int64), by_gene(designs[:, : genes.GENES], np.int64))


def test_layers_of_blocks_are_a_view_kind_by_kind() -> None:
    matrix = np.arange(LAYER_KINDS * 3).reshape(LAYER_KINDS, 3)
    view = by_kind(matrix)
    assert view.shape == (KINDS_PER_BLOCK, genes.BLOCKS, 3)
    assert np.shares_memory(view, matrix)
    view[SKIP, 4] = -1
    assert (matrix[-2] == -1).all()  # the last but the linear layer
    assert (matrix[0] >= 0).all()
