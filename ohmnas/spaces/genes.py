"""The gene table of the ResNet-like macro space: which column of a population matrix means what.

Notation of all matrix code in `ohmnas.spaces`:

    n   architectures in a population
    g   genes of an architecture (28): 3 of the whole network, then 5 for each of 5 main blocks
    b   main blocks (5); a block at or behind gene M is inactive and all its genes are 0

A population is an ``(n, g)`` matrix of int16. The column names here are the only ones: tables, features and the command
line use the same. Further columns behind them, such as the genes of a chip (`spaces.codesign`), are left alone.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import architecture as arch

Scalar = TypeVar("Scalar", bound=np.generic)
Population = npt.NDArray[np.int16]
"""``(n, g)`` matrix of int16: one architecture a row."""

BLOCKS: Final = arch.MAIN_BLOCKS[1]
OC0: Final = 0
KS0: Final = 1
M: Final = 2
FIRST_BLOCK_GENE: Final = 3
R, B, CT, WF, SKIP = range(5)
"""Columns of `block_view`: residual blocks, branches, convolution type, widening, residual connection."""
GENES_PER_BLOCK: Final = 5
CODE_OF_CONV_TYPE: Final = {"A": 1, "B": 2}
"""Gene CT; 0 is left to inactive blocks."""

BLOCK_GENE_NAMES: Final = ("R", "B", "CT", "WF", "skip")
GENE_NAMES: Final = (
    *("OC0", "KS0", "M"),
    *(f"{name}{block + 1}" for block in range(BLOCKS) for name in BLOCK_GENE_NAMES),
)
GENES: Final = len(GENE_NAMES)

STEM_LOW: Final = np.array([arch.STEM_CHANNELS[0], arch.STEM_KERNELS[0], arch.MAIN_BLOCKS[0]], dtype=np.int16)
STEM_HIGH: Final = np.array([arch.STEM_CHANNELS[1], arch.STEM_KERNELS[-1], arch.MAIN_BLOCKS[1]], dtype=np.int16)
BLOCK_LOW: Final = np.array([arch.RESIDUAL_BLOCKS[0], arch.BRANCHES[0], 1, arch.WIDENING[0], 0], dtype=np.int16)
BLOCK_HIGH: Final = np.array([arch.RESIDUAL_BLOCKS[1], arch.BRANCHES[1], 2, arch.WIDENING[1], 1], dtype=np.int16)


def block_view(population: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """The block genes as ``(n, b, 5)``; a view, so that writing to it writes to the population."""
    return population[:, FIRST_BLOCK_GENE:GENES].reshape(len(population), BLOCKS, GENES_PER_BLOCK)


def active_blocks(population: Population) -> npt.NDArray[np.bool_]:
    """``(n, b)``: which main blocks exist."""
    return np.arange(BLOCKS) < population[:, M, None]


def clear_inactive(population: Population) -> Population:
    """Set the genes of inactive blocks to 0, in place, and return the population."""
    block_view(population)[~active_blocks(population)] = 0
    return population
