"""Gene table of the mobile space.

In addition to the notation of `ohmnas.spaces.genes`:

    s   stages (7); gene M is the number of stages that exist, and the genes of the others are 0
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Gene, Genes, Population
from ohmnas.spaces.mobile import architecture as arch

STAGES: Final = arch.STAGES[1]
RES, C0, K0, S0, HEAD, M = range(6)
FIRST_STAGE_GENE: Final = 6
D, E, K, W, S = range(5)
"""Rows of `by_gene`: depth, expansion, kernel, width, stride."""
GENES_PER_STAGE: Final = 5


def _of_stage(stage: int) -> tuple[Gene, ...]:
    expansions = ("separable", *map(str, arch.EXPANSIONS[1:]))
    return (
        Gene(f"D{stage}", arch.DEPTHS, block=stage, group="depth", costly=True),
        Gene(f"E{stage}", arch.EXPANSIONS, expansions, block=stage, group="width", costly=True),
        Gene(f"K{stage}", arch.KERNELS, block=stage, group="kernel"),
        Gene(f"W{stage}", arch.WIDTHS, block=stage, group="width", costly=True),
        Gene(f"S{stage}", arch.STRIDES, block=stage, group="resolution"),
    )


TABLE: Final = Genes(
    (
        Gene("RES", arch.RESOLUTIONS, group="resolution"),
        Gene("C0", arch.STEM_CHANNELS, group="width", costly=True),
        Gene("K0", arch.KERNELS, group="kernel"),
        Gene("S0", arch.STRIDES, group="resolution"),
        Gene("HEAD", arch.HEADS, group="width", costly=True),
        Gene("M", tuple(range(arch.STAGES[0], STAGES + 1)), group="depth"),
        *(gene for stage in range(1, STAGES + 1) for gene in _of_stage(stage)),
    ),
    depth="M",
)
"""All genes: resolution in eighths, stem, head, number of stages, then the genes of each stage."""
GENES: Final = len(TABLE)


def by_gene(population: Population) -> npt.NDArray[Any]:
    """``(5, s, n)`` int64: stage genes. Further columns, such as chip genes, are ignored."""
    stages = population[:, FIRST_STAGE_GENE:GENES].reshape(len(population), STAGES, GENES_PER_STAGE)
    return np.ascontiguousarray(stages.T, dtype=np.int64)


def resized(resolution: npt.NDArray[Any], side: int) -> npt.NDArray[np.int64]:
    """``(n,)``: side of the resized image, rounded up."""
    result: npt.NDArray[np.int64] = -(-side * resolution.astype(np.int64) // arch.EIGHTHS)
    return result


def canonical(population: Population, height: int, width: int) -> Population:
    """``(n, g)``: set RES to the smallest value with the same image size.

    If images are small, several values give the same size.
    """
    values = np.array(arch.RESOLUTIONS)
    sides = np.column_stack([resized(values, height), resized(values, width)])
    smallest = np.zeros(arch.EIGHTHS + 1, dtype=np.int16)
    for value, pair in zip(arch.RESOLUTIONS, sides, strict=True):
        smallest[value] = values[(sides == pair).all(axis=1)][0]
    found = population.copy()
    found[:, RES] = smallest[population[:, RES]]
    return found
