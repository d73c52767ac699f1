"""`CellSpace`: NAS-Bench-201 cells as population matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.cells import genes, structure
from ohmnas.spaces.cells.cell import OPERATIONS, REFERENCES, Cell
from ohmnas.spaces.cells.layers import layers, longest_path
from ohmnas.spaces.cells.stages import stages
from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn


@dataclass(frozen=True, slots=True)
class CellSpace(Space):
    """All networks of NAS-Bench-201: 15,625 cells with 5,260 different functions (`genes.canonical`)."""

    name: ClassVar[str] = "cells-1"
    members: ClassVar[str] = "cells"
    architecture_genes: ClassVar[Genes] = genes.TABLE
    structure_names: ClassVar[tuple[str, ...]] = structure.NAMES

    @property
    def references(self) -> Mapping[str, Cell]:
        """Well-known cells."""
        return REFERENCES

    def layers(self, population: Population) -> Layers:
        """See `Space`."""
        return layers(population, self.input_shape, self.classes)

    def structure(
        self,
        population: Population,
        layers: Layers,  # noqa: ARG002 - required by `Space`
    ) -> npt.NDArray[np.float64]:
        """``(s, n)``: the features in `structure_names`."""
        return structure.structure(population)

    def work(self, population: Population) -> npt.NDArray[np.float64]:
        """See `Space.work` and `structure.work`."""
        return structure.work(population)

    def canonical(self, population: Population) -> Population:
        """See `cells.genes.canonical`."""
        return genes.canonical(population)

    def encode(self, architectures: Iterable[Cell]) -> Population:
        """``(n, 6)``: canonical genomes of cells."""
        rows = [[OPERATIONS.index(operation) for operation in cell.operations] for cell in architectures]
        return genes.canonical(np.array(rows, dtype=np.int16).reshape(-1, len(genes.TABLE)))

    def decode(self, population: npt.NDArray[np.integer]) -> list[Cell]:
        """See `Space`."""
        return [Cell.from_codes(row) for row in self.check(population).tolist()]

    def architecture(self, values: dict[str, Any]) -> Cell:
        """See `Space`."""
        return Cell.from_dict(values)

    def traits(self, architecture: Cell) -> dict[str, float]:
        """Number of each operation, and the largest number of convolutions on a path through the cell."""
        (row,) = self.encode([architecture])
        counts = {operation: float((row == code).sum()) for code, operation in enumerate(OPERATIONS)}
        return {**counts, "longest_way": float(longest_path(row[None])[0])}

    @property
    def trait_groups(self) -> Mapping[str, tuple[list[float], list[str]]]:
        """See `Space`."""
        few = ([-1.0, 0.0, 1.0, 2.0, 6.0], ["none", "one", "two", "three or more"])
        return dict.fromkeys(("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "longest_way"), few)

    def stages(self, architecture: Cell) -> tuple[Stage, ...]:
        """See `cells.stages.stages`."""
        (canonical,) = self.decode(self.encode([architecture]))
        return stages(canonical, self.input_shape, self.classes)

    def draw(self, architecture: Cell) -> Figure:
        """See `cells.picture.draw`."""
        from ohmnas.spaces.cells.picture import draw

        return draw(architecture)

    def build(self, architecture: Cell) -> nn.Module:
        """See `cells.network.build`."""
        from ohmnas.spaces.cells.network import build

        return build(architecture, self.input_shape, self.classes)
