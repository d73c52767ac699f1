"""Population + chip -> the surrogate's features, a whole population at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.cost import LayerTable
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

Features = npt.NDArray[np.float32]
"""``(n, f)``."""

DERIVED_NAMES: Final = (
    "log2_params",
    "log2_macs",
    "log2_layers",
    "log2_outputs",
    "log2_macs_per_output",
    "depth",
    "residual_blocks",
    "bottleneck_share",
    "skip_share",
    "longest_run_without_skip",
    "mean_branches",
    *(f"log2_channels{block + 1}" for block in range(genes.BLOCKS)),
)
"""What the genes imply; a share is of the residual blocks. `log2_outputs` counts the ADC readings of an image."""


def feature_names(hardware: Mapping[str, float]) -> tuple[str, ...]:
    """Column names of `feature_matrix`: genes, derived quantities, chip settings."""
    return (*genes.GENE_NAMES, *DERIVED_NAMES, *hardware)


def feature_matrix(
    space: ResNetSpace, population: Population, hardware: Mapping[str, float] | npt.NDArray[np.float32]
) -> Features:
    """The features of a population on one chip, or each on its own.

    Args:
        space: gives the costs.
        population: ``(n, g)``, canonical.
        hardware: `Hardware.settings()` of the chip, or ``(n, s)``: the settings of each row's chip.

    Returns:
        ``(n, f)`` in the order of `feature_names`.
    """
    n = len(population)
    if isinstance(hardware, Mapping):
        settings = np.broadcast_to(np.array(list(hardware.values()), dtype=np.float32), (n, len(hardware)))
    else:
        settings = hardware
    return np.hstack([population, _derived(population, space.layer_table(population)), settings], dtype=np.float32)


def _derived(population: Population, table: LayerTable) -> npt.NDArray[np.float64]:
    """``(n, len(DERIVED_NAMES))``."""
    block = genes.block_view(population).astype(np.float64)
    active = genes.active_blocks(population)
    repeats, branches, skip = block[..., genes.R], block[..., genes.B], block[..., genes.SKIP]
    bottleneck = block[..., genes.CT] == genes.CODE_OF_CONV_TYPE["B"]
    layers = repeats * np.where(bottleneck, 3, 2)
    total = repeats.sum(axis=1)
    macs, outputs = table.macs(), (table.count * table.outputs * table.positions).sum(axis=1)
    channels = population[:, [genes.OC0]] * np.cumprod(np.maximum(block[..., genes.WF], 1), axis=1)
    return np.column_stack(
        [
            np.log2(table.params()),
            np.log2(macs),
            np.log2(table.layers()),
            np.log2(outputs),
            np.log2(macs / outputs),
            2 + layers.sum(axis=1),
            total,
            (repeats * bottleneck).sum(axis=1) / total,
            (repeats * skip).sum(axis=1) / total,
            _longest_run(layers * (skip == 0)),
            (repeats * branches).sum(axis=1) / total,
            np.where(active, np.log2(channels), 0.0),
        ]
    )


def _longest_run(lengths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``(n, b)`` -> ``(n,)``: largest sum over adjacent blocks that is not interrupted by a 0."""
    best = run = np.zeros(len(lengths))
    for column in lengths.T:
        run = np.where(column > 0, run + column, 0.0)
        best = np.maximum(best, run)
    return best
