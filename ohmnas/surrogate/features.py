"""Population + chip -> the surrogate's features, a whole population at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.cost import LayerTable
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.signal import noise_budget

Values = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
"""``(n, f)``."""

STRUCTURE_NAMES: Final = (
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
NOISE_NAMES: Final = (
    "effective_depth",
    "log2_narrowest",
    "log2_converter_noise",
    "log2_weight_noise",
    "log2_offset_noise",
    "log2_noise_1d",
    "log2_noise_1mo",
)
"""What genes and chip imply, from `spaces.signal`; the last two add up all noise, with the errors of the devices."""
CHIPLESS: Final = len(genes.GENE_NAMES) + len(STRUCTURE_NAMES) + len(NOISE_NAMES)
"""Features before those that describe the chip itself."""
_WIDE: Final = 2.0**16
"""Channels that stand for a network which nothing narrows."""
_QUIET: Final = 2.0**-20
"""Noise over signal that stands for none."""


def feature_names(hardware: Iterable[str]) -> tuple[str, ...]:
    """Column names of `feature_matrix`: genes, derived quantities, description of the chip."""
    return (*genes.GENE_NAMES, *STRUCTURE_NAMES, *NOISE_NAMES, *hardware)


def feature_matrix(space: ResNetSpace, population: Population, hardware: Mapping[str, float | Values]) -> Features:
    """The features of a population on one chip, or each on its own.

    Args:
        space: gives the costs.
        population: ``(n, g)``, canonical.
        hardware: `Hardware.description()` of the chip, or for each name ``(n,)``: the values of each row's chip.

    Returns:
        ``(n, f)`` in the order of `feature_names`.
    """
    chip = {name: np.broadcast_to(np.asarray(value), len(population)) for name, value in hardware.items()}
    parts = [np.empty((0, len(feature_names(hardware))), dtype=np.float32)]
    for start in range(0, len(population), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        some = {name: values[rows] for name, values in chip.items()}
        structure = _structure(population[rows], space.layer_table(population[rows]))
        noise = _noise(population[rows], space, some)
        parts.append(
            np.hstack([population[rows], structure, noise, np.column_stack(list(some.values()))], dtype=np.float32)
        )
    return np.concatenate(parts)


_AT_ONCE = 4096
"""Architectures whose intermediate results stay near the processor."""


def _noise(population: Population, space: ResNetSpace, chip: Mapping[str, Values]) -> npt.NDArray[np.float64]:
    """``(n, 7)``: depth and narrowest, then noise by origin and in all."""
    budget = noise_budget(population, space.input_shape, chip)
    shared = chip["device_offset_1d"] ** 2 * budget.offset
    totals = [
        budget.converters + chip[f"device_spread_{time}"] ** 2 * budget.weights + shared for time in ("1d", "1mo")
    ]
    noises = np.column_stack([budget.converters, budget.weights, budget.offset, *totals])
    narrowest = np.log2(np.minimum(budget.narrowest, _WIDE))
    return np.column_stack([budget.depth, narrowest, np.log2(np.maximum(noises, _QUIET))])


def _structure(population: Population, table: LayerTable) -> npt.NDArray[np.float64]:
    """``(n, len(STRUCTURE_NAMES))``."""
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
