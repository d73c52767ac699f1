"""`Bounds`: the part of a space that a search stays within, as a least and a most for each gene.

Those of a space of networks and chips (`spaces.codesign`) have the genes of the chip behind those of the network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.lookup import suggestion
from ohmnas.spaces import architecture as arch
from ohmnas.spaces import chips, genes
from ohmnas.spaces.genes import Population

_LOWEST: Final = (*genes.STEM_LOW.tolist(), *genes.BLOCK_LOW.tolist() * genes.BLOCKS)
_HIGHEST: Final = (*genes.STEM_HIGH.tolist(), *genes.BLOCK_HIGH.tolist() * genes.BLOCKS)
_ENDS: Final = ((_LOWEST, tuple(chips.LOW.tolist())), (_HIGHEST, tuple(chips.HIGH.tolist())))
"""Of the genes of networks and of chips."""
_LONGEST: Final = 100
"""Characters of a number: Python refuses to read some thousand."""
_LARGEST: Final = 2**62
"""Architectures that can be numbered."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A least and a most for each gene, in the order of `genes.GENE_NAMES`; genes of blocks only where they exist."""

    low: tuple[int, ...] = _LOWEST
    high: tuple[int, ...] = _HIGHEST

    @classmethod
    def of(cls, ranges: Mapping[str, tuple[int, int]], with_chips: bool = False) -> Self:
        """Bounds on some genes.

        Args:
            ranges: name -> least and most, each allowed. ``R3`` is that of the third main block, ``R`` that of all;
                what names one block counts more.
            with_chips: whether the space has the genes of chips too.

        Raises:
            UnknownNameError: there is no such gene.
            InvalidValueError: a value is out of its range.
        """
        lowest_of, highest_of = (ends + (chip if with_chips else ()) for ends, chip in _ENDS)
        low, high = list(lowest_of), list(highest_of)
        for name, (least, most) in sorted(ranges.items(), key=lambda item: item[0] not in genes.BLOCK_GENE_NAMES):
            columns = _columns(name, with_chips)
            lowest, highest = lowest_of[columns[0]], highest_of[columns[0]]
            odd = columns[0] == genes.KS0
            if not lowest <= least <= most <= highest or (odd and not least % 2 == most % 2 == 1):
                allowed = "3, 5 or 7" if odd else f"{_text(name, lowest)} to {_text(name, highest)}"
                asked = _text(name, least) if least == most else f"{_text(name, least)} to {_text(name, most)}"
                raise InvalidValueError(f"{name} can be {allowed}, not {asked}")
            for column in columns:
                low[column], high[column] = least, most
        return cls(tuple(low), tuple(high))

    def choices(self, gene: int) -> npt.NDArray[np.int16]:
        """The values that a gene can take, where its block exists."""
        step = 2 if gene == genes.KS0 else 1
        return np.arange(self.low[gene], self.high[gene] + 1, step, dtype=np.int16)

    @property
    def size(self) -> int:
        """How many architectures there are within."""
        return sum(self._sizes())

    def nth(self, numbers: npt.NDArray[np.int64]) -> Population:
        """``(n, g)``: the architectures of ``(n,)`` numbers from 0 to `size` less 1, each number another one.

        Raises:
            InvalidValueError: there are too many to be numbered.
        """
        if self.size > _LARGEST:
            raise InvalidValueError(f"{self.size:.1e} architectures are too many to go through one by one")
        population = np.zeros((len(numbers), len(self.low)), dtype=np.int16)
        ends = np.cumsum(self._sizes())
        depth = np.searchsorted(ends, numbers, side="right")
        rest = numbers - np.concatenate([[0], ends])[depth]
        population[:, genes.M] = self.low[genes.M] + depth
        exists = np.ones(population.shape, dtype=bool)
        exists[:, genes.FIRST_BLOCK_GENE : genes.GENES] = np.repeat(genes.active_blocks(population), 5, axis=1)
        for gene in range(len(self.low)):
            if gene != genes.M:
                choices = self.choices(gene)
                here = exists[:, gene]
                population[here, gene] = choices[rest[here] % len(choices)]
                rest[here] //= len(choices)
        return population

    def project(self, population: Population) -> Population:
        """``(n, g)``: the nearest architectures within; a block that is added has the least of each gene."""
        low, high = np.array(self.low, dtype=np.int16), np.array(self.high, dtype=np.int16)
        return genes.clear_inactive(np.clip(population, low, high))

    def contain(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: which canonical genomes lie within."""
        here = (population >= np.array(self.low)) & (population <= np.array(self.high))
        genes.block_view(here)[~genes.active_blocks(population)] = True
        return np.asarray(np.all(here, axis=1), dtype=bool)

    def _sizes(self) -> list[int]:
        """How many architectures have each allowed number of main blocks."""
        count = [len(self.choices(gene)) for gene in range(len(self.low))]
        sizes = []
        for depth in self.choices(genes.M):
            several = math.prod(count[: genes.M] + count[genes.GENES :])
            for gene in range(genes.FIRST_BLOCK_GENE, genes.FIRST_BLOCK_GENE + int(depth) * genes.GENES_PER_BLOCK):
                several *= count[gene]
            sizes.append(several)
        return sizes


EVERYTHING: Final = Bounds()
"""All networks."""
EVERY_DESIGN: Final = Bounds.of({}, with_chips=True)
"""All networks on all chips."""


def gene_value(name: str, text: str) -> int:
    """The number of a gene's value as people write it: a convolution type may be A or B, a chip is of a technology.

    Raises:
        UnknownNameError: there is no such technology.
        InvalidValueError: it is no whole number.
    """
    if name in chips.CHIP_GENE_NAMES:
        return chips.chip_value(name, text)
    if name.rstrip("12345") == "CT":
        if text.upper() in arch.CONV_TYPES:
            return genes.CODE_OF_CONV_TYPE[text.upper()]
        if not text.strip().isdecimal():
            raise InvalidValueError(f"{name} is A (basic) or B (bottleneck), not {text!r}")
    if not text.strip().isdecimal() or len(text) > _LONGEST:
        raise InvalidValueError(f"a value of {name} is a whole number, not {text!r}")
    return int(text)


def main_block(name: str) -> int:
    """The main block that a gene's name ends with; 0 where it names none, or all."""
    return int(name[-1]) if name in genes.GENE_NAMES and name[:-1] in genes.BLOCK_GENE_NAMES else 0


def _text(name: str, value: int) -> str:
    """A value as people write it, also one that no gene has."""
    column = chips.CHIP_GENE_NAMES.index(name) if name in chips.CHIP_GENE_NAMES else None
    inside = column is not None and chips.LOW[column] <= value <= chips.HIGH[column]
    return chips.chip_text(name, value) if inside else str(value)


def _columns(name: str, with_chips: bool) -> list[int]:
    """The columns of a population that a name stands for."""
    if name in genes.GENE_NAMES:
        return [genes.GENE_NAMES.index(name)]
    if name in genes.BLOCK_GENE_NAMES:
        first = genes.FIRST_BLOCK_GENE + genes.BLOCK_GENE_NAMES.index(name)
        return [*range(first, genes.GENES, genes.GENES_PER_BLOCK)]
    if name in chips.CHIP_GENE_NAMES:
        if with_chips:
            return [genes.GENES + chips.CHIP_GENE_NAMES.index(name)]
        raise UnknownNameError(
            f"{name} is a gene of chips, and this is a space of networks alone (--co-design has both)"
        )
    blocks = ", ".join(genes.BLOCK_GENE_NAMES)
    further = f", and of the chip {', '.join(chips.CHIP_GENE_NAMES)}" if with_chips else ""
    known = [*genes.GENE_NAMES, *genes.BLOCK_GENE_NAMES, *(chips.CHIP_GENE_NAMES if with_chips else ())]
    raise UnknownNameError(
        f"no gene {name!r}; there are OC0, KS0, M and for all main blocks {blocks}, for one R1 to R5{further}"
        f"{suggestion(known, name)}"
    )
