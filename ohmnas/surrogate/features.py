"""Population + chip -> the surrogate's features, a whole population at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.codesign import Settings, chip_settings
from ohmnas.spaces.cost import LAST, LayerTable, by_gene, by_kind
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.signal import NoiseBudget, noise_budget

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
    "log2_uneven_noise",
    "log2_lasting_share",
    "log2_noise_block",
)
"""What genes and chip imply, from `spaces.signal`; `log2_noise_1d` and `log2_noise_1mo` add up all noise, with the
errors of the devices. After a day, a share of it lasts, which is the errors that differ from chip to chip alone, and it
arises in one main block or another, on average in `log2_noise_block`."""
CHIPLESS: Final = len(genes.GENE_NAMES) + len(STRUCTURE_NAMES) + len(NOISE_NAMES)
"""Features before those that describe the chip itself."""
GROUPS: Final = ("genes", "structure", "noise", "chip", "told")
"""Of features; with those of the chip count what a start says of it, and told is what another model of the same rows
makes of all others."""
_WIDE: Final = 2.0**16
"""Channels that stand for a network which nothing narrows."""
_QUIET: Final = 2.0**-20
"""Noise over signal that stands for none."""


def feature_names(hardware: Iterable[str]) -> tuple[str, ...]:
    """Column names of `feature_matrix`: genes, derived quantities, description of the chip."""
    return (*genes.GENE_NAMES, *STRUCTURE_NAMES, *NOISE_NAMES, *hardware)


def feature_groups(features: int, told: int) -> npt.NDArray[np.intp]:
    """``(f,)``: the group of each feature, a number in `GROUPS`.

    Args:
        features: how many there are: those of `feature_names`, what a start says, then those that are told.
        told: how many of the last.
    """
    sizes = (len(genes.GENE_NAMES), len(STRUCTURE_NAMES), len(NOISE_NAMES), features - CHIPLESS - told, told)
    return np.repeat(np.arange(len(GROUPS)), sizes)


def feature_matrix(space: ResNetSpace, population: Population, hardware: Settings) -> Features:
    """The features of a population on one chip, or each on its own.

    Args:
        space: gives the costs.
        population: ``(n, g)``, canonical.
        hardware: `Hardware.description()` of the chip, or for each name ``(n,)``: the values of each row's chip. In a
            space with chips each row has its own instead.

    Returns:
        ``(n, f)`` in the order of `feature_names`.
    """
    chip = {name: np.asarray(value) for name, value in chip_settings(space, population, hardware).items()}
    features = np.empty((len(population), CHIPLESS + len(chip)), dtype=np.float32)
    for start in range(0, len(population), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        some = {name: value[rows] if value.ndim else value for name, value in chip.items()}
        features[rows, : genes.GENES] = population[rows, : genes.GENES]
        features[rows, genes.GENES : CHIPLESS] = _derived(space, population[rows], some).T
        for column, value in enumerate(some.values(), CHIPLESS):
            features[rows, column] = value
    return features


_AT_ONCE = 512
"""Architectures whose intermediate results stay near the processor."""


def _derived(space: ResNetSpace, population: Population, chip: Mapping[str, Values]) -> Values:
    """``(len(STRUCTURE_NAMES) + len(NOISE_NAMES), n)``."""
    table = space.layer_table(population)
    derived = np.empty((CHIPLESS - genes.GENES, len(population)))
    _structure(population, table, derived[: len(STRUCTURE_NAMES)])
    _noise(noise_budget(population, space.input_shape, chip, table), chip, derived[len(STRUCTURE_NAMES) :])
    return derived


def _structure(population: Population, table: LayerTable, out: Values) -> None:
    """Write ``(len(STRUCTURE_NAMES), n)``."""
    repeats, branches, conv_type, _, skip = by_gene(population, np.int64)
    bottleneck = conv_type == genes.CODE_OF_CONV_TYPE["B"]
    layers = repeats * np.where(bottleneck, 3, 2)
    total = repeats.sum(axis=0)
    out[0], out[1], out[2] = table.params(), table.macs(), table.layers()
    out[3] = (table.count * table.outputs * table.positions).sum(axis=1)
    np.divide(out[1], out[3], out=out[4])
    np.log2(out[:5], out=out[:5])
    out[5] = 2 + layers.sum(axis=0)
    out[6] = total
    out[7] = (repeats * bottleneck).sum(axis=0) / total
    out[8] = (repeats * skip).sum(axis=0) / total
    out[9] = _longest_run(layers * (skip == 0))
    out[10] = (repeats * branches).sum(axis=0) / total
    np.log2(np.where(repeats > 0, by_kind(table.outputs.T)[LAST], 1), out=out[11:])


def _noise(budget: NoiseBudget, chip: Mapping[str, Values], out: Values) -> None:
    """Write ``(len(NOISE_NAMES), n)``: depth and narrowest, then noise by origin, in all, and how it is spread."""
    spread, offset = (np.square(chip[f"device_{error}_1d"]) for error in ("spread", "offset"))
    out[0] = budget.depth
    np.minimum(budget.narrowest, _WIDE, out=out[1])
    out[2:5] = budget.converters, budget.weights, budget.offset
    shared = budget.converters + offset * budget.offset
    for row, time in ((5, "1d"), (6, "1mo")):
        out[row] = shared + chip[f"device_spread_{time}"] ** 2 * budget.weights
    out[7] = budget.uneven
    out[8] = (spread * budget.weights + offset * budget.offset) / np.maximum(out[5], _QUIET)
    converters, weights, offsets = budget.blocks
    in_block = converters + spread * weights + offset * offsets
    numbers = np.arange(1.0, genes.BLOCKS + 1.0)
    out[9] = (numbers[:, None] * in_block).sum(axis=0) / np.maximum(in_block.sum(axis=0), _QUIET)
    np.maximum(out[2:], _QUIET, out=out[2:])
    np.log2(out[1:], out=out[1:])


def _longest_run(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``(b, n)`` -> ``(n,)``: largest sum over adjacent blocks that is not interrupted by a 0."""
    best: npt.NDArray[np.int64] = lengths[0]
    run = best
    for block in lengths[1:]:
        run = np.where(block > 0, run + block, 0)
        best = np.maximum(best, run)
    return best
