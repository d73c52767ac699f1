"""`Bounds`: the searched part of a space, as a lowest and a highest value for each gene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Genes, Population

_LARGEST: Final = 2**62
"""Largest number of architectures that can be numbered."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest value of each gene. The bounds of a block's genes apply only to networks with this block."""

    genes: Genes
    low: tuple[int, ...]
    high: tuple[int, ...]

    @classmethod
    def everything(cls, genes: Genes) -> Self:
        """Return the full range of all genes."""
        return cls(genes, genes.low, genes.high)

    @classmethod
    def of(cls, genes: Genes, ranges: Mapping[str, tuple[int, int]]) -> Self:
        """Return bounds on some genes.

        Args:
            genes: genes of the space.
            ranges: name -> lowest and highest value, both allowed. ``R3`` is the gene of the third block, and ``R``
                stands for the genes of all blocks; a name with a block number takes precedence.

        Raises:
            UnknownNameError: a gene is unknown.
            InvalidValueError: a value is out of range, or a lowest value is above its highest value.
        """
        low, high = list(genes.low), list(genes.high)
        for name, (least, most) in sorted(ranges.items(), key=lambda item: item[0] not in genes.families):
            columns = genes.columns(name)
            gene = genes[columns[0]]
            if least > most or least not in gene.values or most not in gene.values:
                asked = gene.text(least) if least == most else f"{gene.text(least)} to {gene.text(most)}"
                raise InvalidValueError(f"{name} must be {gene.allowed()}, not {asked}")
            for column in columns:
                low[column], high[column] = least, most
        return cls(genes, tuple(low), tuple(high))

    def narrowed(self) -> list[str]:
        """Return the bounds that differ from the full range, such as ``W 8 to 40`` or ``R1 2``.

        ``W`` stands for the genes of all blocks. It appears only if they all have the same bounds.
        """
        texts = dict[str, None]()
        for gene, low, high in zip(self.genes, self.low, self.high, strict=True):
            if (low, high) != (gene.values[0], gene.values[-1]):
                places = self.genes.columns(gene.family if gene.block else gene.name)
                alike = len({(self.low[place], self.high[place]) for place in places}) == 1
                ends = gene.text(low) if low == high else f"{gene.text(low)} to {gene.text(high)}"
                texts[f"{gene.family if alike else gene.name} {ends}"] = None
        return [*texts]

    def choices(self, gene: int) -> npt.NDArray[np.int16]:
        """Values of a gene within the bounds, for networks in which the gene exists."""
        low, high = self.low[gene], self.high[gene]
        return np.array([value for value in self.genes[gene].values if low <= value <= high], dtype=np.int16)

    @property
    def size(self) -> int:
        """Number of genomes within the bounds."""
        return sum(self._sizes())

    def nth(self, numbers: npt.NDArray[np.int64]) -> Population:
        """``(n, g)``: the genomes with these ``(n,)`` numbers, from 0 to `size` - 1; each genome has one number.

        Raises:
            InvalidValueError: there are too many genomes to number, or a number is out of range.
        """
        size = self.size
        if size > _LARGEST:
            digits = f"10^{len(str(size)) - 1}" if size > 1e300 else f"{size:.1e}"  # a float cannot be larger
            raise InvalidValueError(f"{digits} architectures are too many to enumerate")
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < size):
            raise InvalidValueError(
                f"genomes have numbers from 0 to {size - 1:,}, not {numbers.min():,} to {numbers.max():,}"
            )
        population = np.zeros((len(numbers), len(self.genes)), dtype=np.int16)
        ends = np.cumsum(self._sizes())
        place = np.searchsorted(ends, numbers, side="right")
        rest = numbers - np.concatenate([[0], ends])[place]
        depth = self.genes.depth_column
        if self.genes.depth:
            population[:, depth] = self._depths()[place]
        exists = self.genes.exists(population)
        for gene in range(len(self.genes)):
            if gene != depth:
                choices = self.choices(gene)
                here = exists[:, gene]
                population[here, gene] = choices[rest[here] % len(choices)]
                rest[here] //= len(choices)
        return population

    def project(self, population: Population) -> Population:
        """``(n, g)``: nearest genomes within the bounds; an added block has the lowest value of each gene."""
        low, high = np.array(self.low, dtype=np.int16), np.array(self.high, dtype=np.int16)
        return self.genes.clear_missing(np.clip(population, low, high))

    def contain(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for genomes whose existing genes are all within the bounds."""
        here = (population >= np.array(self.low)) & (population <= np.array(self.high))
        here |= ~self.genes.exists(population)
        return np.asarray(np.all(here, axis=1), dtype=bool)

    def from_unit_cube(self, points: npt.NDArray[np.float64]) -> Population:
        """Map points of the unit cube to genomes, gene by gene, uniformly over each gene's values.

        Args:
            points: ``(n, g)`` in [0, 1).

        Returns:
            ``(n, g)``; genes that do not exist are 0.
        """
        population = np.empty(points.shape, dtype=np.int16)
        low, high = np.array(self.low), np.array(self.high)
        population[:] = low + np.floor(points * (high - low + 1.0))
        for gene in self.genes.gaps:
            values = self.choices(gene)
            population[:, gene] = values[(points[:, gene] * len(values)).astype(np.intp)]
        return self.genes.clear_missing(population)

    def _depths(self) -> npt.NDArray[np.int16]:
        return self.choices(self.genes.depth_column) if self.genes.depth else np.zeros(1, dtype=np.int16)

    def _sizes(self) -> list[int]:
        """Number of genomes for each allowed number of blocks."""
        return self.genes.sizes([len(self.choices(gene)) for gene in range(len(self.genes))], self._depths().tolist())
