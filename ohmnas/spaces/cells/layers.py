"""Layers of NAS-Bench-201 networks, counted for whole populations.

The network is the published one (Dong and Yang, ICLR 2020): a 3x3 stem of 16 channels, three stages of five identical
cells with 16, 32 and 64 channels, a residual block with stride 2 before the second and the third stage, batch norm,
mean over pixels, and a linear layer. The numbers of parameters equal the published ones. Multiply-accumulates are
counted only in convolutions and the linear layer. The published "FLOPs" also count 3 per output of a convolution in a
cell (ReLU, batch norm), 9 per output of a pooling, and 160,832 for the parts that all networks share on 32x32 images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.cells import memory
from ohmnas.spaces.cells.cell import EDGES, NODES
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP
from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Flow, Layers, Ratios, Tiling
from ohmnas.spaces.sides import inside, sides

CHANNELS: Final = (16, 32, 64)
"""Channels of each stage."""
CELLS: Final = 5
"""Cells per stage."""
STAGES: Final = len(CHANNELS)
REDUCTION: Final = 3
"""Convolutions of the residual block before a stage; the first stage has none (count 0)."""
KINDS_PER_STAGE: Final = REDUCTION + len(EDGES)
LAYER_KINDS: Final = 2 + STAGES * KINDS_PER_STAGE
"""Stem, kinds of each stage, linear layer."""
_RAW: Final = np.array([0])
"""Kinds whose inputs are not rectified: the stem, which reads the image. This is approximate for the convolutions in
the shortcuts of residual blocks, which also read values without ReLU."""


@dataclass(frozen=True, slots=True)
class CellLayers(Layers):
    """Layers of ``(n, 6)`` cells."""

    population: Population
    input_shape: tuple[int, int, int]

    def tiling(self) -> Tiling:
        """Return the placement: each convolution has its own tiles, and independent edges run at the same time."""
        positions = self.positions.max(axis=0, initial=0)  # the same for all cells; 0 without any
        longest = longest_path(self.population)
        steps = positions[0] + positions[-1] + np.zeros_like(longest)
        for stage in range(STAGES):
            first = 1 + stage * KINDS_PER_STAGE
            steps = steps + CELLS * longest * positions[first + REDUCTION]
            steps = steps + (2 * positions[first] if stage else 0)  # its shortcut runs in parallel
        return Tiling(self.count, self.outputs, steps)

    def flow(self) -> Flow:
        """Return the flow: convolutions normalise the power to 1; skips and poolings keep their source's power."""
        shares, leads_past = _shares(self.population)
        through = np.zeros((LAYER_KINDS, len(self.population)))
        through[0] = through[-1] = 1.0
        inputs = self.inputs.T.astype(np.float64)
        within = inputs.copy()
        height, width = self.input_shape[1:]
        within[0] *= inside(3, height, width)
        depth = np.full(len(self.population), 2.0)
        is_conv = (self.population == CONV1) | (self.population == CONV3)
        for stage, (height, width) in enumerate(sides(*self.input_shape[1:], STAGES)):
            first = 1 + stage * KINDS_PER_STAGE
            edges = slice(first + REDUCTION, first + KINDS_PER_STAGE)
            through[edges] = CELLS * np.where(is_conv, shares, 0.0).T
            within[edges] *= np.where(self.population == CONV3, inside(3, height, width), 1.0).T
            depth += through[edges].sum(axis=0)
            if stage:  # two convolutions parallel to a shortcut: half of the power passes through each branch
                through[first : first + REDUCTION] = 0.5
                within[first : first + 2] *= inside(3, height, width)
                depth += 1.5
        narrowest = np.where(leads_past, np.inf, float(CHANNELS[0]))
        return Flow(through, within, _RAW, STAGES, depth, narrowest)

    def peak_memory(self) -> Counts:
        """See `cells.memory`."""
        return memory.peak_memory(self.population, self.input_shape, CHANNELS, self.outputs[:, -1])


def layers(population: Population, input_shape: tuple[int, int, int], classes: int) -> CellLayers:
    """Count the layers of each network.

    Args:
        population: ``(n, 6)``; need not be canonical.
        input_shape: channels, height and width of an image.
        classes: outputs of the linear layer.

    Returns:
        The layers, ``(n, LAYER_KINDS)``.
    """
    n, (image_channels, height, width) = len(population), input_shape
    count, inputs, outputs, positions, digital = (np.ones((LAYER_KINDS, n), dtype=np.int64) for _ in range(5))
    inputs[0], outputs[0], positions[0] = image_channels * 9, CHANNELS[0], height * width
    conv1, conv3 = (population == CONV1).T, (population == CONV3).T
    before = CHANNELS[0]
    for stage, (channels, (high, wide)) in enumerate(zip(CHANNELS, sides(height, width, STAGES), strict=True)):
        first = 1 + stage * KINDS_PER_STAGE
        kinds = slice(first, first + KINDS_PER_STAGE)
        outputs[kinds], positions[kinds] = channels, high * wide
        count[first : first + REDUCTION] = stage > 0
        inputs[first], inputs[first + 1], inputs[first + 2] = 9 * before, 9 * channels, before
        edges = slice(first + REDUCTION, first + KINDS_PER_STAGE)
        count[edges] = CELLS * (conv1 | conv3)
        inputs[edges] = np.where(conv3, 9, 1) * channels
        before = channels
    inputs[-1], outputs[-1], positions[-1] = CHANNELS[-1], classes, 1
    np.multiply(outputs, 2, out=digital)
    for stage in range(STAGES):
        digital[1 + stage * KINDS_PER_STAGE + 2] = 0  # the shortcut has no batch norm
    digital[-1] = classes + 2 * CHANNELS[-1]  # bias, and the batch norm before the mean
    return CellLayers(count.T, inputs.T, outputs.T, positions.T, digital.T, population, input_shape)


def longest_path(population: Population) -> Counts:
    """``(n,)``: largest number of convolutions on a path through the cell."""
    length = np.full((NODES, len(population)), -1, dtype=np.int64)  # -1: the input does not reach the node
    length[0] = 0
    for (source, target), operation in zip(EDGES, population.T, strict=True):
        there = (operation != NONE) & (length[source] >= 0)
        extended = length[source] + ((operation == CONV1) | (operation == CONV3))
        length[target] = np.where(there, np.maximum(length[target], extended), length[target])
    longest: Counts = np.maximum(length[-1], 0)
    return longest


def _shares(population: Population) -> tuple[Ratios, npt.NDArray[np.bool_]]:
    """``(n, 6)``: share of the output's power through each edge; ``(n,)``: True if a path has no convolution."""
    n = len(population)
    power, past = np.zeros((NODES, n)), np.zeros((NODES, n), dtype=bool)
    power[0], past[0] = 1.0, True
    carried = np.zeros((len(EDGES), n))
    for edge, ((source, target), operation) in enumerate(zip(EDGES, population.T, strict=True)):
        conv = (operation == CONV1) | (operation == CONV3)
        passes = (operation == SKIP) | (operation == POOL)
        carried[edge] = np.where(conv, power[source] > 0.0, np.where(passes, power[source], 0.0))
        power[target] += carried[edge]
        past[target] |= passes & past[source]
    reach, shares = np.zeros((NODES, n)), np.zeros((len(EDGES), n))
    reach[-1] = power[-1] > 0.0
    for edge in reversed(range(len(EDGES))):  # edges from a node come after edges to it
        source, target = EDGES[edge]
        shares[edge] = reach[target] * carried[edge] / np.maximum(power[target], 1e-12)
        reach[source] += shares[edge]
    return shares.T, past[-1]
