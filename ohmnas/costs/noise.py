"""Estimate the noise of networks on a chip, in closed form, for whole populations, without torch.

A layer multiplies its i inputs by weights. Each weight is relative to the largest weight of its column. The inputs come
from batch norm and ReLU, so their distribution is known. The power of the output is therefore known up to constants. It
is the product of i, the mean square of the relative weights, and the mean square of the input in units of the
converter's range. There are three sources of noise:

- Converters. The power of output noise and ADC rounding depends only on the chip, so its share is larger in layers with
  fewer inputs. Each row of tiles that a layer is split over adds the same power again. The share of DAC rounding is the
  same in all layers.
- Independent errors of the weights. Their share of the output depends on i only through the largest of i weights.
- Errors shared by all weights of a tile. They multiply the mean of the inputs, so their share grows with i.

Batch norm normalises each layer's output to the same power, so noise-to-signal ratios add up along a chain. Where
branches and a skip meet, powers add up. The noise of a layer is therefore weighted by the share of the power that
passes through the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.layers import Layers, Ratios

RANGE_RMS = 4.0
"""Range of a DAC, in units of the RMS of its input: the value at the start of training. Layers then learn their own."""
RECTIFIED_MEAN = 1.0 / np.pi
"""Squared mean of a rectified normal variable, divided by its mean square."""


@dataclass(frozen=True, slots=True)
class NoiseBudget:
    """Noise-to-signal ratios at the classifier's output, by source, for n networks. All but `blocks` are ``(n,)``."""

    converters: Ratios
    """Output noise and rounding."""
    weights: Ratios
    """Independent weight errors with a standard deviation of 1, in units of the column's largest weight."""
    offset: Ratios
    """An error of 1 shared by all weights of a tile, in the same units."""
    blocks: Ratios
    """``(3, b, n)``: `converters`, `weights` and `offset` of each block of the space."""
    weights_spread: Ratios
    """Standard deviation of `weights` over chips, up to a constant factor. It is small for networks with many weights,
    because the errors then add up to nearly the same power on each chip."""
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
        Ratios of noise power to signal power.
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
    """Sum values over the kinds of layers of each block: ``(m, k, n)`` -> ``(m, b, n)``.

    Each sum has only a few terms. NumPy adds them in the same order for any number of networks, so the result for a
    network does not depend on the others.
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
    """``(3, k, n)``: noise-to-signal ratios of one layer of each kind, for converters, weights and offset.

    Args:
        inputs: ``(k, n)``: inputs of the weight matrix.
        inside: ``(k, n)``: mean number of inputs inside the image.
        raw: kinds with inputs that are not rectified.
        chip: `Hardware.settings()`; a value may be ``(n,)``, one per network.
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
    spread += 2.0  # approximate square of the largest of inputs / parts standard normal weights
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
