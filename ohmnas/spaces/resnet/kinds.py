"""Kinds of layers in a ResNet-like network, and views of genes and layers by main block."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes

ENTRY, FIRST, MIDDLE, LAST, SKIP = range(5)
"""Kinds of convolution in a main block: first convolutions of the branches (ENTRY in the first residual block, FIRST in
the others), middle and last convolutions of the branches, skip convolution."""
KINDS_PER_BLOCK = 5
LAYER_KINDS = 2 + genes.BLOCKS * KINDS_PER_BLOCK
"""Stem, kinds of each main block, linear layer."""


def by_gene(population: Population, kind: type[np.generic]) -> npt.NDArray[Any]:
    """``(5, b, n)``: block genes as numbers of type `kind`, in the order of `genes.BLOCK_GENE_NAMES`."""
    return np.ascontiguousarray(genes.block_view(population).T, dtype=kind)


def by_kind(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View of the convolutions of main blocks: ``(LAYER_KINDS, n)`` -> ``(KINDS_PER_BLOCK, b, n)``."""
    blocks = matrix[1:-1].reshape(genes.BLOCKS, KINDS_PER_BLOCK, matrix.shape[1])
    return blocks.transpose(1, 0, 2)
