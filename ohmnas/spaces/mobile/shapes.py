"""Channels and resolutions of each stage of mobile networks, for whole populations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Counts
from ohmnas.spaces.mobile import architecture as arch
from ohmnas.spaces.mobile import genes


@dataclass(frozen=True, slots=True)
class StageShape:
    """One stage of n networks. Each field is ``(n,)``. Unless noted otherwise, it is 0 for missing stages."""

    exists: npt.NDArray[np.bool_]
    depth: Counts
    into: Counts
    """Channels before the stage."""
    width: Counts
    entry: Counts
    """Channels inside the first block."""
    hidden: Counts
    """Channels inside the other blocks."""
    kernel: Counts
    """At least 1."""
    separable: npt.NDArray[np.bool_]
    expands: npt.NDArray[np.bool_]
    first_adds: npt.NDArray[np.bool_]
    """True if the first block adds its input."""
    high: Counts
    """Height before the stage."""
    wide: Counts
    """Width before the stage."""
    high_out: Counts
    wide_out: Counts

    @property
    def area(self) -> Counts:
        """Pixels before the stage."""
        return self.high * self.wide

    @property
    def area_out(self) -> Counts:
        """Pixels of the stage's output."""
        return self.high_out * self.wide_out


def stages_of(population: Population, input_shape: tuple[int, int, int]) -> Iterator[StageShape]:
    """Shapes of each stage, in order."""
    depth, expansion, kernel, width, stride = genes.by_gene(population)
    into = population[:, genes.C0].astype(np.int64)
    stem_stride = population[:, genes.S0].astype(np.int64)
    high, wide = (-(-genes.resized(population[:, genes.RES], side) // stem_stride) for side in input_shape[1:])
    for place in range(genes.STAGES):
        exists = depth[place] > 0
        times, separable = np.maximum(expansion[place], 1), (expansion[place] == arch.SEPARABLE) & exists
        step = np.maximum(stride[place], 1)
        high_out, wide_out = -(-high // step), -(-wide // step)
        yield StageShape(
            exists=exists,
            depth=depth[place],
            into=into * exists,
            width=width[place],
            entry=into * times * exists,
            hidden=width[place] * times,
            kernel=np.maximum(kernel[place], 1),
            separable=separable,
            expands=expansion[place] > 1,
            first_adds=exists & ~separable & (step == 1) & (width[place] == into),
            high=high * exists,
            wide=wide * exists,
            high_out=high_out * exists,
            wide_out=wide_out * exists,
        )
        into = np.where(exists, width[place], into)
        high, wide = high_out, wide_out
