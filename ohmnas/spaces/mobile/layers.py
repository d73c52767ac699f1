"""Layers of mobile networks, counted for whole populations.

A depthwise convolution is a matrix with kernel height x kernel width inputs and one output per channel. On a chip it is
block-diagonal: every channel has its own rows (`costs.crossbar`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Flow, Layers, Ratios, Tiling
from ohmnas.spaces.mobile import architecture as arch
from ohmnas.spaces.mobile import genes
from ohmnas.spaces.mobile.memory import peak_memory
from ohmnas.spaces.mobile.shapes import StageShape, stages_of
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule
from ohmnas.spaces.sides import inside

ENTRY_EXPAND, EXPAND, ENTRY_DEPTHWISE, DEPTHWISE, ENTRY_PROJECT, PROJECT, HEAD = range(7)
"""Kinds of convolution in a stage: of its first block (ENTRY) and of the others; the head belongs to the last stage."""
KINDS_PER_STAGE: Final = 7
LAYER_KINDS: Final = 2 + genes.STAGES * KINDS_PER_STAGE
"""Stem, kinds of each stage, linear layer."""
_DEPTHWISE: Final = np.array(
    [
        1 + stage * KINDS_PER_STAGE + kind
        for stage in range(genes.STAGES)
        for kind in (ENTRY_DEPTHWISE, DEPTHWISE)
    ]
)  # fmt: skip
_RAW: Final = np.array(
    [
        0,
        *(1 + stage * KINDS_PER_STAGE + EXPAND for stage in range(genes.STAGES)),
        *(1 + stage * KINDS_PER_STAGE + ENTRY_EXPAND for stage in range(1, genes.STAGES)),
    ]
)
"""Kinds that read the image or a projection without ReLU. This is approximate: the output of a separable stage has a
ReLU, and the head, the linear layer or a block without expansion can also read a projection."""


@dataclass(frozen=True, slots=True)
class MobileLayers(Layers):
    """Layers of ``(n, g)`` mobile networks; kinds are the stem, the kinds of each stage, the linear layer."""

    population: Population
    input_shape: tuple[int, int, int]

    def tiling(self) -> Tiling:
        """Return the placement: layers run one after another, and depthwise convolutions have a group per channel."""
        groups = np.ones_like(self.outputs.T)
        groups[_DEPTHWISE] = np.maximum(self.outputs.T[_DEPTHWISE], 1)
        steps = (self.count * self.positions).sum(axis=1)
        return Tiling(self.count, self.outputs, steps, groups.T)

    def flow(self) -> Flow:
        """Return the flow: batch norm sets the power to 1, sums add powers, and ReLU halves the power."""
        n = len(self.population)
        through, within = self.count.T.astype(np.float64), self.inputs.T.astype(np.float64)
        stem_kernel = self.population[:, genes.K0].astype(np.int64)
        high, wide = (genes.resized(self.population[:, genes.RES], side) for side in self.input_shape[1:])
        within[0] *= inside(stem_kernel, high, wide)
        power = np.full(n, 0.5)  # after the ReLU of the stem
        narrowest = np.full(n, np.inf)
        for place, stage in enumerate(stages_of(self.population, self.input_shape)):
            first = 1 + place * KINDS_PER_STAGE
            entry, later, power = _shares(stage, power)
            for kinds, share in (
                ((ENTRY_EXPAND, ENTRY_DEPTHWISE, ENTRY_PROJECT), entry),
                ((EXPAND, DEPTHWISE, PROJECT), later),
            ):
                for kind in kinds:
                    np.multiply(self.count.T[first + kind] > 0, share, out=through[first + kind])
            kernel = stage.kernel
            within[first + ENTRY_DEPTHWISE] *= inside(kernel, np.maximum(stage.high, 1), np.maximum(stage.wide, 1))
            within[first + DEPTHWISE] *= inside(kernel, np.maximum(stage.high_out, 1), np.maximum(stage.wide_out, 1))
            narrowest = np.where(stage.exists, np.minimum(narrowest, stage.width), narrowest)
        return Flow(through, within, _RAW, genes.STAGES, through.sum(axis=0), narrowest)

    def peak_memory(self) -> Counts:
        """See `mobile.memory`."""
        return self.scheduled_memory(LAYER_BY_LAYER)

    def scheduled_memory(self, schedule: Schedule) -> Counts:
        """See `mobile.memory`."""
        return peak_memory(self.population, self.input_shape, self, schedule)[0]

    def repeated_macs(self, schedule: Schedule) -> Counts:
        """``(n,)``: multiply-accumulates that overlapping patches compute again, in addition to `macs`."""
        return peak_memory(self.population, self.input_shape, self, schedule)[1]


def _shares(stage: StageShape, power: Ratios) -> tuple[Ratios, Ratios, Ratios]:
    """``(n,)`` each: share of the power through the first block, summed shares through the others, power of the output.

    All power passes through a separable block, and its ReLU leaves half of it. The projection of an inverted residual
    has power 1; a residual connection adds the power of the input.
    """
    entry = np.where(stage.first_adds, 1.0 / (1.0 + power), 1.0)
    now = np.where(stage.separable, 0.5, np.where(stage.first_adds, 1.0 + power, 1.0))
    later = np.zeros_like(power)
    for block in range(1, arch.DEPTHS[-1]):
        there = block < stage.depth
        later += there * np.where(stage.separable, 1.0, 1.0 / (1.0 + now))
        now = np.where(there & ~stage.separable, 1.0 + now, now)
    return entry * stage.exists, later, np.where(stage.exists, now, power)


def layers(population: Population, input_shape: tuple[int, int, int], classes: int) -> MobileLayers:
    """Count the layers of each network.

    Args:
        population: ``(n, g)``; need not be canonical.
        input_shape: channels, height and width of an image, before it is resized.
        classes: outputs of the linear layer.

    Returns:
        The layers, ``(n, LAYER_KINDS)``.
    """
    n = len(population)
    channels, *image = input_shape
    count, inputs, outputs, positions, digital = (np.zeros((LAYER_KINDS, n), dtype=np.int64) for _ in range(5))
    stride = population[:, genes.S0].astype(np.int64)
    high, wide = (-(-genes.resized(population[:, genes.RES], side) // stride) for side in image)
    count[0] = count[-1] = 1
    inputs[0], outputs[0] = channels * population[:, genes.K0].astype(np.int64) ** 2, population[:, genes.C0]
    positions[0] = high * wide
    head, last = population[:, genes.HEAD].astype(np.int64), population[:, genes.M]
    features = np.zeros(n, dtype=np.int64)
    for place, stage in enumerate(stages_of(population, input_shape)):
        rows = slice(1 + place * KINDS_PER_STAGE, 1 + (place + 1) * KINDS_PER_STAGE)
        taps = stage.kernel**2 * stage.exists
        is_last = last == place + 1
        wide_head = stage.width * head * is_last
        features += stage.width * np.maximum(head, 1) * is_last
        one, others = stage.exists.astype(np.int64), np.maximum(stage.depth - 1, 0)
        in_area, area = stage.area, stage.area_out
        count[rows] = _stack(
            one * stage.expands, others * stage.expands, one, others, one, others, one * is_last * (head > 0)
        )
        inputs[rows] = _stack(stage.into, stage.width, taps, taps, stage.entry, stage.hidden, stage.width)
        outputs[rows] = _stack(
            stage.entry, stage.hidden, stage.entry, stage.hidden, stage.width, stage.width, wide_head
        )
        positions[rows] = _stack(in_area, area, area, area, area, area, area)
    inputs[-1], outputs[-1], positions[-1] = features, classes, 1
    np.multiply(outputs, 2, out=digital)
    digital[-1] = classes
    return MobileLayers(count.T, inputs.T, outputs.T, positions.T, digital.T, population, input_shape)


def _stack(*rows: Any) -> Counts:
    return np.stack(rows)
