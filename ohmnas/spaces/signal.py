"""How much noise reaches the end of a network on a chip: estimates in closed form for whole populations, without torch.

A layer multiplies its k inputs with weights that are relative to the largest of their column. Behind batch norm and
ReLU its inputs have a known shape, so the power of its output is known up to constants: k times the mean square of the
relative weights times that of the input in units of the converter's range. Beside it stand

- the noise and the rounding of the converters, whose power is that of the chip, whatever the layer: the fewer inputs a
  layer has, the more of its output is noise; each tile that it is split over adds as much again;
- errors of the weights that are independent of each other: a share of the output that depends on k by the largest of k
  weights only;
- errors that all weights of a tile share: they meet the mean of the inputs and so grow with k.

Batch norm brings each layer's output back to the same power, so ratios of noise to signal add up along a chain. Where
branches and a skip meet, powers add, and noise counts by the share of the power that came through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import architecture as arch
from ohmnas.spaces import cost, genes
from ohmnas.spaces.cost import ENTRY, FIRST, LAST, MIDDLE, SKIP, LayerTable, by_gene, by_kind
from ohmnas.spaces.genes import Population

Ratios = npt.NDArray[np.float64]
"""``(n,)``: power of noise over power of signal."""

RANGE_RMS = 4.0
"""Range of an input converter in root mean squares of its input, as training calibrates it."""
RECTIFIED_MEAN = 1.0 / np.pi
"""Square of the mean over mean square of a rectified normal variable."""


@dataclass(frozen=True, slots=True)
class NoiseBudget:
    """Noise over signal in front of the classes, for n networks, by its origin."""

    converters: Ratios
    """Of output noise and rounding."""
    weights: Ratios
    """Of independent errors of the weights, for errors of standard deviation 1 in units of the column's largest."""
    offset: Ratios
    """Of errors that the weights of a tile share, for an error of 1 in the same units."""
    blocks: Ratios
    """``(3, b, n)``: of these three, what arises in each main block."""
    uneven: Ratios
    """By how much `weights` differs from chip to chip: its standard deviation up to a constant. The errors of a layer's
    weights add up to nearly the same power on each chip if they are many."""
    depth: npt.NDArray[np.float64]
    """``(n,)``: layers on the way, where skips and what they skip count by their share of the power."""
    narrowest: npt.NDArray[np.float64]
    """``(n,)``: fewest channels, of all branches together, that everything has to pass; infinite where skips always
    lead past."""


def noise_budget(
    population: Population,
    input_shape: tuple[int, int, int],
    chip: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]],
    table: LayerTable | None = None,
) -> NoiseBudget:
    """Estimate the noise of each network.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image.
        chip: `Hardware.settings()`; a value may be ``(n,)``, one for each network.
        table: the networks' `cost.layer_table`, where it is at hand.

    Returns:
        The estimates.
    """
    table = cost.layer_table(population, input_shape, classes=1) if table is None else table
    repeats, branches, conv_type, _, skip = by_gene(population, np.intp)
    basic = conv_type == genes.CODE_OF_CONV_TYPE["A"]
    entry, later, past = np.take(_shares(), np.ravel_multi_index((repeats, branches, skip), _SHAPE), axis=1)

    through = np.ones((cost.LAYER_KINDS, len(population)))  # share of the power that comes through each kind of layer
    kinds = by_kind(through)
    kinds[ENTRY], kinds[FIRST] = entry, later
    both = np.add(entry, later, out=kinds[LAST])
    np.multiply(both, ~basic, out=kinds[MIDDLE])
    np.multiply(past, by_kind(table.count.T)[SKIP], out=kinds[SKIP])

    inputs = table.inputs.T.astype(np.float64)
    noise = _layer_noise(inputs, _inputs_inside(inputs, basic, population, input_shape), chip)
    noise *= through
    depth = 2.0 + (both * np.where(basic, 2.0, 3.0)).sum(axis=0)
    widths = by_kind(table.outputs.T)[ENTRY] * branches
    narrowest = np.where((skip == 0) & (branches > 0), widths, np.inf).min(axis=0)
    # Five and five at a time, which NumPy adds in the same order for one network as for many.
    blocks = noise[:, 1:-1].reshape(3, genes.BLOCKS, cost.KINDS_PER_BLOCK, -1).sum(axis=2)
    converters, weights, offset = blocks.sum(axis=1) + noise[:, 0] + noise[:, -1]
    several = np.square(noise[1])
    several /= np.maximum((table.count * table.outputs).T * inputs, 1.0)  # by the number of its weights
    by_block = several[1:-1].reshape(genes.BLOCKS, cost.KINDS_PER_BLOCK, -1).sum(axis=1)
    uneven = np.sqrt(by_block.sum(axis=0) + several[0] + several[-1])
    return NoiseBudget(converters, weights, offset, blocks, uneven, depth, narrowest)


_SHAPE = (arch.RESIDUAL_BLOCKS[1] + 1, arch.BRANCHES[1] + 1, 2)
"""Values of R, B and skip, with the 0 of blocks that do not exist."""


@cache
def _shares() -> Ratios:
    """``(3, codes)``: shares of the power in a main block, by R, B and skip: all that they depend on.

    They are the share that comes through the branches of the first residual block, those through the branches of all
    others added up, and the share that comes past the first. Nothing comes through a block that does not exist.
    """
    repeats, branches, skip = (gene.astype(np.float64) for gene in np.indices(_SHAPE))
    exists = (repeats > 0.0) & (branches > 0.0)
    branches = np.maximum(branches, 1.0)
    # What a skip carries into the first residual block has the power 1, and a sum of branches that of their number;
    # ReLU lets half of a sum through.
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
    """``(k, n)``: how many of the inputs of each layer lie inside of the image and not in its padding, on average."""
    stem, blocks = _shares_inside(*input_shape[1:])
    inside = inputs.copy()
    kinds = by_kind(inside)
    kinds[[ENTRY, FIRST, LAST]] *= np.where(basic, blocks, 1.0)
    kinds[MIDDLE] *= blocks
    inside[0] *= stem[population[:, genes.KS0]]
    return inside


@cache
def _shares_inside(height: int, width: int) -> tuple[Ratios, Ratios]:
    """Of the stem by the size of its kernel, and ``(b, 1)``: of kernels of 3 in each main block."""
    kernels = np.maximum(np.arange(arch.STEM_KERNELS[-1] + 1), 1)
    return _inside(kernels, height, width), _inside(3, *_sides(height, width))[:, None]


def _layer_noise(
    inputs: Ratios, inside: Ratios, chip: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]]
) -> Ratios:
    """``(3, k, n)``: noise over signal of converters, weights and offset that layers add; the stem is the first.

    Args:
        inputs: ``(k, n)``.
        inside: ``(k, n)``: how many of them lie inside of the image, on average.
        chip: settings of one chip, or ``(n,)`` of one for each network.
    """
    dac, adc = (_step(np.asarray(chip[f"hw_{name}_bits"], dtype=np.float64)) for name in ("dac", "adc"))
    rounding = (RANGE_RMS * dac) ** 2 / 12.0
    reading = np.square(chip["hw_output_noise"]) + (chip["hw_adc_bound"] * adc) ** 2 / 12.0
    parts = np.ceil(inputs / chip["hw_tile_rows"])

    noise = np.empty((3, *inputs.shape))
    converters, spread, offset = noise
    np.divide(inputs, parts, out=spread)
    np.log(spread, out=spread)
    spread *= 2.0
    spread += 2.0  # square of the largest of so many normal weights
    np.divide(spread, inside, out=converters)
    converters *= RANGE_RMS**2  # one over the signal
    converters *= parts
    converters *= reading
    converters += rounding
    np.multiply(inside, spread, out=offset)
    offset *= RECTIFIED_MEAN
    offset[0] = 0.0  # no ReLU stands before the stem
    return noise


def _step(bits: Ratios) -> Ratios:
    """A converter's step in units of its range; 0 if it is ideal."""
    return np.where(bits > 0, 1.0 / (2.0 ** np.maximum(bits - 1.0, 1.0) - 1.0), 0.0)


def _sides(height: int, width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``(b,)`` each: the sides of the image in each main block; all but the first halve them, rounding up."""
    steps = 2 ** np.arange(genes.BLOCKS)
    return -(-height // steps), -(-width // steps)


def _inside(kernel: Any, height: Any, width: Any) -> Ratios:
    """The mean share of a kernel, odd, that lies inside of an image when it stands on each pixel."""
    result: Ratios = _inside_line(kernel, height) * _inside_line(kernel, width)
    return result


def _inside_line(kernel: Any, size: Any) -> Any:
    """Along one side: of every pair of pixels at most half a kernel apart, both ways."""
    reach = np.minimum(np.asarray(kernel) // 2, size - 1)
    return (size + reach * (2 * size - reach - 1)) / (size * np.asarray(kernel))
