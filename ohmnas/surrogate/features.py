"""Features of a surrogate, computed for a whole population and its chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.costs import NoiseBudget, noise_budget
from ohmnas.spaces.codesign import Settings, chip_settings
from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space

Values = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
"""``(n, f)``."""

SIZE_NAMES: Final = ("log2_params", "log2_macs", "log2_layers", "log2_outputs", "log2_macs_per_output")
"""Sizes of any network. `log2_outputs` counts the ADC conversions per image."""
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
"""Noise features of layers and chip, from `costs.noise`. `log2_noise_1d` and `log2_noise_1mo` add up all noise,
including device errors. `log2_lasting_share` is the share of the noise after a day that stays the same in all reads of
a chip. `log2_noise_block` is the mean block in which noise arises."""
GROUPS: Final = ("genes", "structure", "noise", "chip", "stacked")
"""Groups of features. Predictions of a source model belong to `chip`. `stacked` holds predictions of another model,
made from all other features of the same rows."""
_WIDE: Final = 2.0**16
"""Channels assumed for a network without a narrowest layer."""
_QUIET: Final = 2.0**-20
"""Smallest noise-to-signal ratio; it also stands for no noise."""
_BINARY: Final = 2


@cache
def _choices(genes: Genes) -> tuple[tuple[int, int | None], ...]:
    """For each gene feature: its column and, for a categorical gene with three or more values, the value it encodes."""
    found: list[tuple[int, int | None]] = []
    for column, gene in enumerate(genes):
        if gene.ordered or len(gene.values) <= _BINARY:
            found.append((column, None))
        else:
            found.extend((column, value) for value in gene.values)
    return tuple(found)


def gene_feature_names(space: Space) -> tuple[str, ...]:
    """One feature per gene, or per value of a categorical gene with three or more values: ``E01=skip_connect``."""
    genes = space.networks.genes
    return tuple(
        genes[column].name if value is None else f"{genes[column].name}={genes[column].text(value)}"
        for column, value in _choices(genes)
    )


def structure_names(space: Space) -> tuple[str, ...]:
    """`SIZE_NAMES`, then the structure features of the space."""
    return (*SIZE_NAMES, *space.networks.structure_names)


def chipless(space: Space) -> int:
    """Number of features before the settings of the chip."""
    return len(_choices(space.networks.genes)) + len(structure_names(space)) + len(NOISE_NAMES)


def feature_names(space: Space, hardware: Iterable[str]) -> tuple[str, ...]:
    """Column names of `feature_matrix`: genes, derived quantities, settings of the chip."""
    return (*gene_feature_names(space), *structure_names(space), *NOISE_NAMES, *hardware)


def feature_groups(space: Space, features: int, stacked: int) -> npt.NDArray[np.intp]:
    """``(f,)``: group of each feature, an index into `GROUPS`.

    Args:
        space: search space.
        features: number of features: `feature_names`, predictions of a source, stacked predictions.
        stacked: number of stacked features.
    """
    own = (len(_choices(space.networks.genes)), len(structure_names(space)), len(NOISE_NAMES))
    return np.repeat(np.arange(len(GROUPS)), (*own, features - sum(own) - stacked, stacked))


def feature_matrix(space: Space, population: Population, hardware: Settings) -> Features:
    """Features of a population on one chip, or of each row on its own chip.

    Args:
        space: search space.
        population: ``(n, g)``, canonical.
        hardware: `Hardware.description()` of the chip, or name -> ``(n,)`` values for the chip of each row. Ignored in
            a space with chips, whose genomes include the chip.

    Returns:
        ``(n, f)`` in the order of `feature_names`.
    """
    chip = {name: np.asarray(value) for name, value in chip_settings(space, population, hardware).items()}
    choices, before = _choices(space.networks.genes), chipless(space)
    ordered = [column for column, value in choices if value is None]
    features = np.empty((len(population), before + len(chip)), dtype=np.float32)
    for start in range(0, len(population), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        some = {name: value[rows] if value.ndim else value for name, value in chip.items()}
        if len(ordered) == len(choices):
            features[rows, : len(choices)] = population[rows, : len(choices)]
        else:
            for place, (column, value) in enumerate(choices):
                own = population[rows, column]
                features[rows, place] = own if value is None else own == value
        features[rows, len(choices) : before] = _derived(space, population[rows], some).T
        for column, setting in enumerate(some.values(), before):
            features[rows, column] = setting
    return features


_AT_ONCE = 512
"""Architectures per batch; their intermediate results fit into the processor's cache."""


def _derived(space: Space, population: Population, chip: Mapping[str, Values]) -> Values:
    """``(structure + noise, n)``: features derived from the layers and the chip."""
    layers, structure = space.layers(population), len(structure_names(space))
    derived = np.empty((structure + len(NOISE_NAMES), len(population)))
    _write_sizes(layers, derived[: len(SIZE_NAMES)])
    derived[len(SIZE_NAMES) : structure] = space.structure(population, layers)
    _write_noise(noise_budget(layers, chip), chip, derived[structure:])
    return derived


def _write_sizes(layers: Layers, out: Values) -> None:
    """Write `SIZE_NAMES` to ``(s, n)``."""
    size = dict(zip(SIZE_NAMES, out, strict=True))
    size["log2_params"][:] = layers.params()
    size["log2_macs"][:] = layers.macs()
    size["log2_layers"][:] = layers.layers()
    size["log2_outputs"][:] = (layers.count * layers.outputs * layers.positions).sum(axis=1)
    np.divide(size["log2_macs"], size["log2_outputs"], out=size["log2_macs_per_output"])
    np.log2(out, out=out)


def _write_noise(budget: NoiseBudget, chip: Mapping[str, Values], out: Values) -> None:
    """Write `NOISE_NAMES` to ``(s, n)``."""
    spread, offset = (np.square(chip[f"device_{error}_1d"]) for error in ("spread", "offset"))
    noise = dict(zip(NOISE_NAMES, out, strict=True))
    noise["effective_depth"][:] = budget.depth
    np.minimum(budget.narrowest, _WIDE, out=noise["log2_narrowest"])
    noise["log2_converter_noise"][:] = budget.converters
    noise["log2_weight_noise"][:] = budget.weights
    noise["log2_offset_noise"][:] = budget.offset
    shared = budget.converters + offset * budget.offset
    for time in ("1d", "1mo"):
        noise[f"log2_noise_{time}"][:] = shared + chip[f"device_spread_{time}"] ** 2 * budget.weights
    noise["log2_uneven_noise"][:] = budget.weights_spread
    lasting = spread * budget.weights + offset * budget.offset
    np.divide(lasting, np.maximum(noise["log2_noise_1d"], _QUIET), out=noise["log2_lasting_share"])
    converters, weights, offsets = budget.blocks
    in_block = converters + spread * weights + offset * offsets
    weighted = (np.arange(1.0, len(in_block) + 1.0)[:, None] * in_block).sum(axis=0)
    np.divide(weighted, np.maximum(in_block.sum(axis=0), _QUIET), out=noise["log2_noise_block"])
    ratios, logarithms = out[NOISE_NAMES.index("log2_converter_noise") :], out[NOISE_NAMES.index("log2_narrowest") :]
    np.maximum(ratios, _QUIET, out=ratios)
    np.log2(logarithms, out=logarithms)
