"""Relaxed ResNet-like networks of fixed depth: choices for the stem and for each main block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.gradient.choices import Choices, Relaxation
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.architecture import MAIN_BLOCKS, RESIDUAL_BLOCKS, STEM_CHANNELS, STEM_KERNELS
from ohmnas.spaces.resnet.space import ResNetSpace

if TYPE_CHECKING:
    from ohmnas.oneshot.gradient.network import SoftNetwork

STEM_FACTORS: Final = (1.0, 1.5, 2.0, 3.0)
"""Widths of the stem, relative to the smallest."""
BRANCHES: Final = (1, 2, 3)
TYPES: Final = (genes.CODE_OF_CONV_TYPE["A"], genes.CODE_OF_CONV_TYPE["B"])
WIDENING: Final = (1, 2)
SKIPS: Final = (0, 1)
OF_BLOCK: Final = (BRANCHES, TYPES, WIDENING, SKIPS)
"""Options of each choice of a main block."""


@dataclass(frozen=True)
class ResNetRelaxation(Relaxation):
    """Two choices for the stem and four for each main block."""

    space: ResNetSpace
    channels: int
    """Smallest width of the stem."""
    blocks: int
    """Number of main blocks."""
    depth: int
    """Number of residual blocks in each main block."""

    def __post_init__(self) -> None:
        """Check that the networks are in the space.

        Raises:
            InvalidValueError: they are too narrow, too wide or too deep.
        """
        low, high = STEM_CHANNELS
        if self.channels < low or self.stems[-1] > high:
            raise InvalidValueError(
                f"channels must be from {low} to {int(high / STEM_FACTORS[-1])} for {self.space.name}, "
                f"not {self.channels}"
            )
        for name, value, (low, high) in (
            ("blocks", self.blocks, MAIN_BLOCKS),
            ("cells, the residual blocks of a main block,", self.depth, RESIDUAL_BLOCKS),
        ):
            if not low <= value <= high:
                raise InvalidValueError(f"{name} must be from {low} to {high} for {self.space.name}, not {value}")

    @property
    def stems(self) -> tuple[int, ...]:
        """Widths of the stem."""
        return tuple(round(self.channels * factor) for factor in STEM_FACTORS)

    @property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """``(c,)``: gene values that each choice selects from."""
        return (self.stems, STEM_KERNELS, *(OF_BLOCK * self.blocks))

    @property
    def sizes(self) -> tuple[int, ...]:
        """See `Relaxation`."""
        return tuple(map(len, self.options))

    @property
    def _columns(self) -> list[int]:
        """``(c,)``: column of each choice."""
        start, step = genes.FIRST_BLOCK_GENE, genes.GENES_PER_BLOCK
        per_block = [
            start + step * block + gene
            for block in range(self.blocks)
            for gene in (genes.B, genes.CT, genes.WF, genes.SKIP)
        ]
        return [genes.OC0, genes.KS0, *per_block]

    def genomes(self, choices: Choices) -> Population:
        """See `Relaxation`."""
        found = np.zeros((len(choices), len(self.space.genes)), dtype=np.int16)
        found[:, genes.M] = self.blocks
        genes.block_view(found)[:, : self.blocks, genes.R] = self.depth
        for column, options, chosen in zip(self._columns, self.options, choices.T, strict=True):
            found[:, column] = np.array(options)[chosen]
        return self.space.canonical(found)

    def choices_of(self, genomes: Population) -> Choices:
        """See `Relaxation`."""
        columns = [
            np.searchsorted(options, genomes[:, column])
            for column, options in zip(self._columns, self.options, strict=True)
        ]
        return np.column_stack(columns)

    def works(self, genomes: Population) -> npt.NDArray[np.bool_]:
        """See `Relaxation`."""
        return np.ones(len(genomes), dtype=bool)

    def network(self) -> SoftNetwork:
        """See `Relaxation`."""
        from ohmnas.oneshot.gradient.soft_resnet import SoftResNet

        return SoftResNet(self)
