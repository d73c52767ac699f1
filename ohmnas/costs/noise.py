"""Noise of networks on a chip: closed-form estimates for whole populations, without torch.

A layer multiplies its i inputs by weights relative to the largest weight of their column. After batch norm and ReLU
its inputs have a known distribution. The power of its output is therefore known up to constants: i times the mean
square of the relative weights, times the mean square of the input in units of the converter's range. Noise is added by

- noise and rounding of the converters: their power depends only on the chip, so layers with fewer inputs have a larger
  noise share; each tile that a layer is split over adds the same power again;
- independent errors of the weights: their share of the output depends on i only through the largest of i weights;
- errors shared by all weights of a tile: they multiply the mean of the inputs and therefore grow with i.

Batch norm normalises each layer's output to the same power, so noise-to-signal ratios add up along a chain. Powers add
up where branches and a skip meet: the noise of a layer is weighted by the share of the power that passes through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.layers import Layers, Ratios

RANGE_RMS = 4.0
"""Range of an input converter in root mean squares of its input, as calibrated in training."""
RECTIFIED_MEAN = 1.0 / np.pi
"""Squared mean over mean square of a rectified normal variable."""


@dataclass(frozen=True, slots=True)
class NoiseBudget:
    """Noise-to-signal ratios at the classifier's input, for n networks, by origin."""

    converters: Ratios
    """Output noise and rounding."""
    weights: Ratios
    """Independent weight errors, for a standard deviation of 1 in units of the column's largest weight."""
    offset: Ratios
    """Errors shared by the weights of a tile, for an error of 1 in the same units."""
    blocks: Ratios
    """``(3, b, n)``: `converters`, `weights` and `offset` of each block of the space."""
    weights_spread: Ratios
    """Variation of `weights` between chips: its standard deviation up to a constant. With many weights, their errors
    add up to nearly the same power on each chip."""
    depth: npt.NDArray[np.float64]
    """``(n,)``: see `Flow`."""
    narrowest: npt.NDArray[np.float64]
    """``(n,)``: see `Flow`."""


def noise_budget(layers: Layers, chip: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]]) -> NoiseBudget:
    """Estimate the noise of each network.

    Args:
        layers: layers of n networks.
        chip: `Hardware.settings()`; a value may be ``(n,)``, one per network.

    Returns:
        Noise-to-signal ratios of powers.
    """
    flow = layers.flow()
    inputs = np.maximum(layers.inputs.T, 1.0)  # missing layers may have 0 inputs
    noise = _layer_noise(inputs, np.maximum(flow.inside, 1.0), flow.raw, chip)
    noise *= flow.through
    blocks = _by_block(noise, flow.blocks)
    converters, weights, offset = blocks.sum(axis=1) + noise[:, 0] + noise[:, -1]
    several = np.square(noise[1])
    several /= np.maximum((layers.count * layers.outputs).T * inputs, 1.0)  # divide by the number of weights
    spread = np.sqrt(_by_block(several[None], flow.blocks)[0].sum(axis=0) + several[0] + several[-1])
    return NoiseBudget(converters, weights, offset, blocks, spread, flow.depth, flow.narrowest)


def _by_block(values: Ratios, blocks: int) -> Ratios:
    """``(m, k, n)``: values of kinds of layers -> ``(m, b, n)``: sums over the kinds of each block.

    Each sum has few terms, which NumPy adds in the same order for any number of networks.
    """
    if not blocks:
        return np.zeros((len(values), 0, values.shape[2]))
    each = (values.shape[1] - 2) // blocks
    sums: Ratios = values[:, 1:-1].reshape(len(values), blocks, each, values.shape[2]).sum(axis=2)
    return sums


def _layer_noise(
    inputs: Ratios,
    inside: Ratios,
    raw: npt.NDArray[np.intp],
    chip: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]],
) -> Ratios:
    """``(3, k, n)``: noise-to-signal ratios that layers add, from converters, weights and offset.

    Args:
        inputs: ``(k, n)``.
        inside: ``(k, n)``: mean number of inputs inside the image.
        raw: kinds with inputs that are not rectified.
        chip: settings of one chip, or ``(n,)`` settings.
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
    spread += 2.0  # approximate square of the largest of this many standard normal weights
    np.divide(spread, inside, out=converters)
    converters *= RANGE_RMS**2  # inverse of the signal
    converters *= parts
    converters *= reading
    converters += rounding
    np.multiply(inside, spread, out=offset)
    offset *= RECTIFIED_MEAN
    offset[raw] = 0.0  # inputs that are not rectified have mean 0
    return noise


def _step(bits: Ratios) -> Ratios:
    """Step of a converter in units of its range; 0 for an ideal converter."""
    return np.where(bits > 0, 1.0 / (2.0 ** np.maximum(bits - 1.0, 1.0) - 1.0), 0.0)
