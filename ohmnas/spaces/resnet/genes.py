"""Gene table of the ResNet-like macro space: meaning of each column of a population.

In addition to the notation of `ohmnas.spaces.genes`:

    b   main blocks (5); gene M is the number of active blocks, and the genes of the others are 0

Further columns, such as chip genes (`spaces.codesign`), are ignored.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Gene, Genes, Population
from ohmnas.spaces.resnet import architecture as arch

Scalar = TypeVar("Scalar", bound=np.generic)

BLOCKS: Final = arch.MAIN_BLOCKS[1]
OC0: Final = 0
KS0: Final = 1
M: Final = 2
FIRST_BLOCK_GENE: Final = 3
R, B, CT, WF, SKIP = range(5)
"""Columns of `block_view`: residual blocks, branches, convolution type, widening, residual connection."""
GENES_PER_BLOCK: Final = 5
CODE_OF_CONV_TYPE: Final = {"A": 1, "B": 2}
"""Gene CT; 0 is for inactive blocks."""


def _range(ends: tuple[int, int]) -> tuple[int, ...]:
    return tuple(range(ends[0], ends[1] + 1))


def _of_block(block: int) -> tuple[Gene, ...]:
    return (
        Gene(f"R{block}", _range(arch.RESIDUAL_BLOCKS), block=block, group="depth", costly=True),
        Gene(f"B{block}", _range(arch.BRANCHES), block=block, group="width", costly=True),
        Gene(f"CT{block}", (1, 2), arch.CONV_TYPES, block=block, group="depth"),
        Gene(f"WF{block}", _range(arch.WIDENING), block=block, group="width", costly=True),
        Gene(f"skip{block}", (0, 1), block=block),
    )


TABLE: Final = Genes(
    (
        Gene("OC0", _range(arch.STEM_CHANNELS), group="width", costly=True),
        Gene("KS0", arch.STEM_KERNELS),
        Gene("M", _range(arch.MAIN_BLOCKS), group="depth"),
        *(gene for block in range(1, BLOCKS + 1) for gene in _of_block(block)),
    ),
    depth="M",
)
"""All genes. Genes of a block: residual blocks, branches, convolution type, widening, residual connection."""
BLOCK_GENE_NAMES: Final = TABLE.families
GENE_NAMES: Final = TABLE.names
GENES: Final = len(TABLE)

STEM_LOW, STEM_HIGH = (np.array(ends[:FIRST_BLOCK_GENE], dtype=np.int16) for ends in (TABLE.low, TABLE.high))
BLOCK_LOW, BLOCK_HIGH = (
    np.array(ends[FIRST_BLOCK_GENE : FIRST_BLOCK_GENE + GENES_PER_BLOCK], dtype=np.int16)
    for ends in (TABLE.low, TABLE.high)
)


def block_view(population: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """``(n, b, 5)``: block genes as a view; writing to it modifies the population."""
    return population[:, FIRST_BLOCK_GENE:GENES].reshape(len(population), BLOCKS, GENES_PER_BLOCK)


def active_blocks(population: Population) -> npt.NDArray[np.bool_]:
    """``(n, b)``: True for main blocks that exist."""
    return np.arange(BLOCKS) < population[:, M, None]


def clear_inactive(population: Population) -> Population:
    """Set the genes of inactive blocks to 0, in place, and return the population."""
    block_view(population)[~active_blocks(population)] = 0
    return population
