"""Exact peak memory of mobile networks, for whole populations."""

from __future__ import annotations

import numpy as np

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Layers
from ohmnas.spaces.mobile import genes
from ohmnas.spaces.mobile.layers import StageShape, stages_of


def peak_memory(population: Population, input_shape: tuple[int, int, int], layers: Layers) -> Counts:
    """``(n,)``: largest number of activations in memory at once for one image.

    Layers run one after another. A layer needs its whole input and output at once; batch norm, ReLU and sums are in
    place. An activation is freed after the last layer that reads it: the input of a block with a residual connection
    stays until the sum. The image counts at its resized resolution while the stem reads it.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image, before it is resized.
        layers: layers of the same networks.
    """
    channels, *image = input_shape
    high, wide = (genes.resized(population[:, genes.RES], side) for side in image)
    values = (layers.outputs * layers.positions).T
    peak: Counts = channels * high * wide + values[0]
    last = values[0]
    for stage in stages_of(population, input_shape):
        into, out = stage.into * stage.area, stage.width * stage.area_out
        first = _block(into, stage.entry * stage.area, stage.entry * stage.area_out, out, stage, stage.first_adds)
        hidden = stage.hidden * stage.area_out
        later = _block(out, hidden, hidden, out, stage, ~stage.separable)
        np.maximum(peak, first, out=peak, where=stage.exists)
        np.maximum(peak, later, out=peak, where=stage.depth > 1)
        last = np.where(stage.exists, out, last)
    features, head = layers.inputs[:, -1], population[:, genes.HEAD] > 0
    area = np.divide(last, _last_width(population)).astype(np.int64)
    behind = np.where(head, features * area, last)
    np.maximum(peak, np.where(head, last + behind, 0), out=peak)
    result: Counts = np.maximum(peak, features + np.maximum(behind, layers.outputs[:, -1]))
    return result


def _last_width(population: Population) -> Counts:
    width = genes.by_gene(population)[genes.W]
    found: Counts = width[population[:, genes.M] - 1, np.arange(len(population))]
    return found


def _block(
    into: Counts,
    expanded: Counts,
    filtered: Counts,
    out: Counts,
    stage: StageShape,
    adds: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Counts:
    """``(n,)``: peak inside a block.

    Args:
        into: values of its input.
        expanded: values in front of the depthwise convolution.
        filtered: values behind it.
        out: values behind the projection.
        stage: its stage.
        adds: True if it adds its input.
    """
    kept = into * adds
    peak = np.where(stage.expands, into + expanded, 0)
    # without an expansion the depthwise convolution reads the block's input, which is then counted once
    np.maximum(peak, np.where(stage.expands, kept, 0) + expanded + filtered, out=peak)
    result: Counts = np.maximum(peak, kept + filtered + out)
    return result
