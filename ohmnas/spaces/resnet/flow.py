"""Flow of signal and noise through ResNet-like networks: closed-form estimates for whole populations.

Batch norm normalises each layer's output to the same power. Powers add up where branches and a skip meet, and noise in
a branch is weighted by the branch's share of the power.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Flow, Layers, Ratios
from ohmnas.spaces.resnet import architecture as arch
from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.kinds import (
    ENTRY,
    FIRST,
    LAST,
    LAYER_KINDS,
    MIDDLE,
    SKIP,
    by_kind,
)
from ohmnas.spaces.sides import inside, sides

_STEM = np.zeros(1, dtype=np.intp)


def flow(population: Population, block_genes: Counts, input_shape: tuple[int, int, int], layers: Layers) -> Flow:
    """Return the flow through ``(n, g)`` networks.

    Args:
        population: ``(n, g)``, canonical.
        block_genes: ``(5, b, n)``: block genes (`kinds.by_gene`).
        input_shape: channels, height and width of an image.
        layers: layers of the same networks.
    """
    repeats, branches, conv_type, _, skip = block_genes
    basic = conv_type == genes.CODE_OF_CONV_TYPE["A"]
    entry, later, past = np.take(_shares(), np.ravel_multi_index((repeats, branches, skip), _SHAPE), axis=1)

    through = np.ones((LAYER_KINDS, len(population)))
    kinds = by_kind(through)
    kinds[ENTRY], kinds[FIRST] = entry, later
    both = np.add(entry, later, out=kinds[LAST])
    np.multiply(both, ~basic, out=kinds[MIDDLE])
    np.multiply(past, by_kind(layers.count.T)[SKIP], out=kinds[SKIP])
    inputs = layers.inputs.T.astype(np.float64)
    depth = 2.0 + (both * np.where(basic, 2.0, 3.0)).sum(axis=0)
    widths = by_kind(layers.outputs.T)[ENTRY] * branches
    narrowest = np.where((skip == 0) & (branches > 0), widths, np.inf).min(axis=0)
    return Flow(through, _inputs_inside(inputs, basic, population, input_shape), _STEM, genes.BLOCKS, depth, narrowest)


_SHAPE = (arch.RESIDUAL_BLOCKS[1] + 1, arch.BRANCHES[1] + 1, 2)
"""Number of values of R, B and skip, including 0 for missing blocks."""


@cache
def _shares() -> Ratios:
    """``(3, codes)``: shares of the power in a main block, for each combination of R, B and skip.

    The rows are the share through the branches of the first residual block, the summed shares through the branches of
    all others, and the share through the skip of the first. All are 0 for a missing block.
    """
    repeats, branches, skip = (gene.astype(np.float64) for gene in np.indices(_SHAPE))
    exists = (repeats > 0.0) & (branches > 0.0)
    branches = np.maximum(branches, 1.0)
    # The skip into the first residual block has power 1, and the sum of b branches has power b. ReLU passes half of a
    # sum.
    first = branches / (skip + branches)
    power = (skip + branches) / 2.0
    others = np.zeros(_SHAPE)
    for repeat in range(1, arch.RESIDUAL_BLOCKS[1]):
        others += np.where(repeat < repeats, branches / (skip * power + branches), 0.0)
        power = (skip * power + branches) / 2.0
    shares: Ratios = (np.stack([first, others, 1.0 - first]) * exists).reshape(3, -1)
    return shares


def _inputs_inside(
    inputs: Ratios, basic: npt.NDArray[np.bool_], population: Population, input_shape: tuple[int, int, int]
) -> Ratios:
    """``(k, n)``: mean number of each layer's inputs that are inside the image, not in its padding."""
    stem, blocks = _shares_inside(*input_shape[1:])
    within = inputs.copy()
    kinds = by_kind(within)
    kinds[[ENTRY, FIRST, LAST]] *= np.where(basic, blocks, 1.0)
    kinds[MIDDLE] *= blocks
    within[0] *= stem[population[:, genes.KS0]]
    return within


@cache
def _shares_inside(height: int, width: int) -> tuple[Ratios, Ratios]:
    """Share of a kernel inside the image: for the stem, by kernel size, and ``(b, 1)`` for 3x3 in each main block."""
    kernels = np.maximum(np.arange(arch.STEM_KERNELS[-1] + 1), 1)
    heights, widths = np.array(sides(height, width, genes.BLOCKS)).T
    return inside(kernels, height, width), inside(3, heights, widths)[:, None]
