"""Exact peak memory of mobile networks, for whole populations: layer by layer, in place, or patch by patch.

Notation: ``p`` patches along one side.

Layers run one after another. A layer needs its whole input and output at once; batch norm, ReLU and sums are in place.
An activation is freed after the last layer that reads it: the input of a block with a residual connection stays until
the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts, Layers
from ohmnas.spaces.mobile import architecture as arch
from ohmnas.spaces.mobile import genes
from ohmnas.spaces.mobile.shapes import stages_of
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule

Mask = npt.NDArray[np.bool_]


def peak_memory(
    population: Population, input_shape: tuple[int, int, int], layers: Layers, schedule: Schedule = LAYER_BY_LAYER
) -> tuple[Counts, Counts]:
    """``(n,)`` each: largest number of activations in memory at once for one image, and MACs that patches repeat.

    Layer by layer, the image counts at its resized resolution while the stem reads it. Patch by patch, only the part of
    the image that one patch reads counts, because the whole image stays in the memory of the camera. The whole output
    of the patches is in memory. The number of blocks that run in patches is chosen for the smallest peak; ties go to
    the smallest number.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image, before it is resized.
        layers: layers of the same networks.
        schedule: how the network runs.
    """
    blocks = _blocks(population, input_shape)
    channels, *image = input_shape
    high, wide = (genes.resized(population[:, genes.RES], side) for side in image)
    stem = channels * high * wide + (layers.outputs[:, 0] * layers.positions[:, 0])
    peaks = [block.peak(schedule) for block in blocks]
    end = _end(population, layers, blocks)
    whole: Counts = np.max([stem, *peaks, end], axis=0)
    best, repeated = whole, np.zeros_like(whole)
    if schedule.patches == 1:
        return best, repeated
    after = end  # blocks after a split run layer by layer
    for last in reversed(range(len(blocks))):
        peak, again = _patched(population, input_shape, blocks[: last + 1], schedule)
        np.maximum(peak, after, out=peak)
        better = blocks[last].exists & (peak <= best) & (peak < whole)
        best, repeated = np.where(better, peak, best), np.where(better, again, repeated)
        after = np.maximum(after, peaks[last])
    return best, repeated


@dataclass(frozen=True, slots=True)
class _Block:
    """One block of n networks; fields are ``(n,)``, and peaks of missing blocks are 0."""

    exists: Mask
    expands: Mask
    adds: Mask
    """True if the block adds its input."""
    into: Counts
    """Channels of the input."""
    hidden: Counts
    width: Counts
    kernel: Counts
    stride: Counts
    sides_in: tuple[Counts, Counts]
    sides_out: tuple[Counts, Counts]

    def peak(self, schedule: Schedule) -> Counts:
        """``(n,)``: peak of the block without patches."""
        area_in, area_out = (high * wide for high, wide in (self.sides_in, self.sides_out))
        return self.peak_of(area_in, area_out, schedule, self.width * area_out)

    def macs_per_pixel(self) -> tuple[Counts, Counts]:
        """``(n,)`` each: MACs of the expansion per input pixel, and of the other layers per output pixel."""
        after = self.hidden * (self.kernel**2 + self.width)
        return self.into * self.hidden * (self.expands & self.exists), after * self.exists

    def peak_of(self, area_in: Counts, area_out: Counts, schedule: Schedule, out: Counts) -> Counts:
        """Peak for areas that broadcast to ``(..., n)``; `out` is the memory for the projection's result."""
        into, expanded, filtered = self.into * area_in, self.hidden * area_in, self.hidden * area_out
        kept = into * self.adds
        written = filtered
        if schedule.in_place_depthwise:
            written = np.where(self.expands | ~self.adds, area_out, filtered)
        first = np.where(self.expands, into + expanded, 0)
        # without an expansion, the depthwise convolution reads the block's input, which must not count twice
        second = np.where(self.expands, kept, 0) + expanded + written
        peak: Counts = np.maximum(np.maximum(first, second), kept + filtered + out) * self.exists
        return peak


def _blocks(population: Population, input_shape: tuple[int, int, int]) -> list[_Block]:
    """All blocks that a network can have, in order."""
    found = []
    strides = np.maximum(genes.by_gene(population)[genes.S], 1)
    for place, stage in enumerate(stages_of(population, input_shape)):
        first = _Block(
            stage.exists,
            stage.expands,
            stage.first_adds,
            stage.into,
            stage.entry,
            stage.width,
            stage.kernel,
            strides[place],
            (stage.high, stage.wide),
            (stage.high_out, stage.wide_out),
        )
        later = replace(
            first,
            adds=~stage.separable,
            into=stage.width,
            hidden=stage.hidden,
            stride=np.ones_like(stage.width),
            sides_in=first.sides_out,
        )
        found += [first, *(replace(later, exists=stage.depth > block) for block in range(1, arch.DEPTHS[-1]))]
    return found


def _end(population: Population, layers: Layers, blocks: Sequence[_Block]) -> Counts:
    """``(n,)``: peak of the head, the mean over pixels and the linear layer."""
    features = layers.inputs[:, -1]
    last = np.zeros_like(features)  # values after the last block
    area = np.zeros_like(features)
    for block in blocks:
        high, wide = block.sides_out
        area = np.where(block.exists, high * wide, area)
        last = np.where(block.exists, block.width * high * wide, last)
    after = features * area
    has_head = population[:, genes.HEAD] > 0
    peak = np.maximum(np.where(has_head, last + after, 0), features + after)
    result: Counts = np.maximum(peak, features + layers.outputs[:, -1])
    return result


def _patched(
    population: Population, input_shape: tuple[int, int, int], blocks: Sequence[_Block], schedule: Schedule
) -> tuple[Counts, Counts]:
    """``(n,)`` each: peak and repeated MACs of the stem and these blocks, which run patch by patch.

    Each patch computes all pixels that it reads in each layer, so patches overlap. Image borders are treated exactly.
    """
    last = blocks[-1]
    spans = [_split(side, schedule.patches) for side in last.sides_out]
    whole = last.width * last.sides_out[0] * last.sides_out[1]
    peak = np.zeros((schedule.patches, schedule.patches, len(population)), dtype=np.int64)
    macs = np.zeros(len(population), dtype=np.int64)
    for place, block in reversed([*enumerate(blocks)]):
        inner = [
            _read(*span, block.kernel, block.stride, side) for span, side in zip(spans, block.sides_in, strict=True)
        ]
        area_in, area_out = _areas(inner), _areas(spans)
        out = block.width * area_out * (place < len(blocks) - 1)  # the last block writes into the output
        np.maximum(peak, block.peak_of(area_in, area_out, schedule, out), out=peak)
        each_in, each_out = block.macs_per_pixel()
        macs += each_in * _repeated(area_in, block.sides_in) + each_out * _repeated(area_out, block.sides_out)
        spans = [
            (np.where(block.exists, start, before), np.where(block.exists, stop, after))
            for (start, stop), (before, after) in zip(inner, spans, strict=True)
        ]
    kernel, stride, stem = (population[:, gene].astype(np.int64) for gene in (genes.K0, genes.S0, genes.C0))
    image = [genes.resized(population[:, genes.RES], side) for side in input_shape[1:]]
    read = [_read(*span, kernel, stride, side) for span, side in zip(spans, image, strict=True)]
    area = _areas(spans)
    macs += input_shape[0] * kernel**2 * stem * _repeated(area, blocks[0].sides_in)
    np.maximum(peak, input_shape[0] * _areas(read) + stem * area, out=peak)
    return peak.max(axis=(0, 1)) + whole, macs


def _repeated(areas: Counts, sides: tuple[Counts, Counts]) -> Counts:
    """``(n,)``: pixels that patches compute again, from `areas`, the ``(p, p, n)`` pixels of each patch."""
    found: Counts = areas.sum(axis=(0, 1)) - sides[0] * sides[1]
    return found


def _split(side: Counts, patches: int) -> tuple[Counts, Counts]:
    """``(p, n)`` each: first pixel of each patch along a side, and the pixel after its last."""
    ends = np.arange(patches + 1)[:, None] * side // patches
    return ends[:-1], ends[1:]


def _read(start: Counts, stop: Counts, kernel: Counts, stride: Counts, side: Counts) -> tuple[Counts, Counts]:
    """First pixel that a convolution reads for its outputs `start` to `stop` - 1, and the pixel after the last one.

    Both are equal if there are no outputs.
    """
    first = np.maximum(start * stride - kernel // 2, 0)
    last = np.minimum((stop - 1) * stride - kernel // 2 + kernel, side)
    return first, np.where(stop > start, last, first)


def _areas(spans: Sequence[tuple[Counts, Counts]]) -> Counts:
    """``(p, p, n)``: pixels of each patch."""
    high, wide = (stop - start for start, stop in spans)
    areas: Counts = high[:, None] * wide[None]
    return areas
