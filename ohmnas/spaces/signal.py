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
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import genes
from ohmnas.spaces.cost import bottleneck_channels
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
    depth: npt.NDArray[np.float64]
    """``(n,)``: layers on the way, where skips and what they skip count by their share of the power."""
    narrowest: npt.NDArray[np.float64]
    """``(n,)``: fewest channels, of all branches together, that everything has to pass; infinite where skips always
    lead past."""


def noise_budget(
    population: Population,
    input_shape: tuple[int, int, int],
    chip: Mapping[str, float | npt.NDArray[np.float64]],
) -> NoiseBudget:
    """Estimate the noise of each network.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image.
        chip: `Hardware.settings()`; a value may be ``(n,)``, one for each network.

    Returns:
        The estimates.
    """
    n = len(population)
    channels, height, width = input_shape
    layer = _Layer(chip)
    block = genes.block_view(population).astype(np.float64)
    repeats, branches = block[..., genes.R], np.maximum(block[..., genes.B], 1.0)
    basic = block[..., genes.CT] == genes.CODE_OF_CONV_TYPE["A"]
    skip = block[..., genes.SKIP]
    stem, kernel = population[:, genes.OC0].astype(np.float64), population[:, genes.KS0].astype(np.int64)
    out = stem[:, None] * np.cumprod(np.maximum(block[..., genes.WF], 1.0), axis=1)
    into = np.concatenate([stem[:, None], out[:, :-1]], axis=1)
    inner = np.where(basic, out, bottleneck_channels(out.astype(np.int64)))
    strided = np.arange(genes.BLOCKS) > 0
    layers = np.where(basic, 2.0, 3.0)

    area = np.where(basic, 9.0, 1.0)  # of the first and the last kernel of a branch
    whole = _inside(3, *_sides(height, width))
    inside = np.where(basic, whole, 1.0)
    behind = layer.noise(inner * area, inside) + np.where(basic, 0.0, layer.noise(inner * 9.0, whole))
    first, later = (layer.noise(channels_in * area, inside) + behind for channels_in in (into, out))
    beside = np.where((into != out) | strided, layer.noise(into, 1.0), 0.0)

    # What a skip carries into the first residual block has the power 1, and a sum of branches that of their number;
    # ReLU lets half of a sum through.
    share = branches / (skip + branches)
    power = (skip + branches) / 2.0
    shares = np.zeros_like(power)
    for repeat in range(1, int(repeats.max(initial=0))):
        shares += np.where(repeat < repeats, branches / (skip * power + branches), 0.0)
        power = (skip * power + branches) / 2.0

    active = genes.active_blocks(population)
    through = np.where(active, share * first + (1.0 - share) * beside + shares * later, 0.0).sum(axis=2)
    head = layer.noise(out[np.arange(n), population[:, genes.M] - 1, None], 1.0)
    stem_noise = layer.noise((channels * kernel**2)[:, None], _inside(kernel, height, width)[:, None], rectified=False)
    depth = 2.0 + np.where(active, (share + shares) * layers, 0.0).sum(axis=1)
    narrowest = np.where(active & (skip == 0.0), inner * branches, np.inf).min(axis=1)
    converters, weights, offset = through + head[..., 0] + stem_noise[..., 0]
    return NoiseBudget(converters, weights, offset, depth, narrowest)


class _Layer:
    """What one layer of a chip adds."""

    def __init__(self, chip: Mapping[str, float | npt.NDArray[np.float64]]) -> None:
        """Settings of one chip, or ``(n,)`` of one for each network."""
        settings = {name: np.asarray(value, dtype=np.float64)[..., None] for name, value in chip.items()}
        dac, adc = (_step(settings[f"hw_{name}_bits"]) for name in ("dac", "adc"))
        self._rows = settings["hw_tile_rows"]
        self._in = (RANGE_RMS * dac) ** 2 / 12.0
        self._out = settings["hw_output_noise"] ** 2 + (settings["hw_adc_bound"] * adc) ** 2 / 12.0

    def noise(self, inputs: npt.NDArray[Any], inside: Ratios | float, rectified: bool = True) -> Ratios:
        """``(3, n, b)``: noise over signal of converters, weights and offset.

        Args:
            inputs: ``(n, b)``: k.
            inside: the share of them that lies inside of the image and not in its padding, on average.
            rectified: whether a ReLU stands before the layer.
        """
        parts = np.ceil(inputs / self._rows)
        spread = 2.0 * np.log(np.maximum(inputs / parts, 1.0)) + 2.0  # square of the largest of so many normal weights
        signal = inputs * inside / (spread * RANGE_RMS**2)
        mean = RECTIFIED_MEAN if rectified else 0.0
        return np.stack([parts * self._out / signal + self._in, spread, inputs * inside * mean * spread])


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
