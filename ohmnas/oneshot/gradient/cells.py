"""Relaxed NAS-Bench-201 cells: every edge computes a weighted sum of the five operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.oneshot.gradient.choices import Choices, Relaxation
from ohmnas.spaces.cells.cell import EDGES, OPERATIONS
from ohmnas.spaces.cells.genes import NONE, SKIP
from ohmnas.spaces.cells.space import CellSpace
from ohmnas.spaces.genes import Population

if TYPE_CHECKING:
    from ohmnas.oneshot.gradient.network import SoftNetwork


@dataclass(frozen=True)
class CellRelaxation(Relaxation):
    """One choice among five operations for each of the six edges."""

    space: CellSpace
    channels: int
    """Channels of the search network's stem."""
    cells: int
    """Cells of each stage of the search network."""
    skip: ClassVar[int | None] = SKIP
    none: ClassVar[int | None] = NONE

    @property
    def sizes(self) -> tuple[int, ...]:
        """Five operations for each edge."""
        return (len(OPERATIONS),) * len(EDGES)

    def genomes(self, choices: Choices) -> Population:
        """See `Relaxation`."""
        return self.space.canonical(choices.astype(np.int16))

    def choices_of(self, genomes: Population) -> Choices:
        """See `Relaxation`."""
        return genomes.astype(np.intp)

    def works(self, genomes: Population) -> npt.NDArray[np.bool_]:
        """See `Relaxation`."""
        # in a canonical genome, an operation without effect is `none`
        found: npt.NDArray[np.bool_] = (genomes != NONE).any(axis=1)
        return found

    def network(self) -> SoftNetwork:
        """See `Relaxation`."""
        from ohmnas.oneshot.gradient.soft_cells import SoftCells

        return SoftCells(self.space.input_shape[0], self.space.classes, self.channels, self.cells)
