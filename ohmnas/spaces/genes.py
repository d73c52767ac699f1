"""Genes as data: the columns of a population, their values, and the blocks that they belong to.

Notation in all matrix code of `ohmnas.spaces`:

    n   architectures in a population
    g   genes of an architecture
    k   kinds of layers (`spaces.layers`)

A population is an ``(n, g)`` matrix of int16. Sampling, bounds, crossover, neighbours, table columns and command-line
flags are all derived from the genes of a space. A gene that does not exist in a network is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.lookup import suggestion

Population = npt.NDArray[np.int16]
"""``(n, g)`` matrix of int16: one architecture per row."""

LARGEST_VALUE: Final = 2**15 - 1
_LONGEST: Final = 100
"""Longest number that is parsed, and longest text in a message, in characters. Python refuses to parse several thousand
digits."""


@dataclass(frozen=True, slots=True)
class Gene:
    """One column of a population."""

    name: str
    """Column name, in tables and on the command line. A gene of block 3 has a name such as ``R3``."""
    values: tuple[int, ...]
    """Possible values where the gene exists, ascending; adjacent values are one step apart."""
    labels: tuple[str, ...] = ()
    """Readable labels of the values, in the same order; empty if the values themselves are shown."""
    ordered: bool = True
    """True if neighbouring values are more similar than others; False for a choice of operations, for example."""
    block: int = 0
    """Block of the gene, from 1; 0 means that it exists in every network."""
    group: str = "other"
    """Mutation group; each group has its own probability (`Space.mutate`)."""
    costly: bool = False
    """True if larger values cost more. Sampling evenly over cost favours the small values of these genes."""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            InvalidValueError: the name is not a word or does not end in the number of the block, or the values do not
                ascend, are out of range, or differ in number from the labels.
        """
        if not (self.name.isidentifier() and self.name.isascii()):
            raise InvalidValueError(f"the name of a gene must be a word of letters and digits, not {self.name!r}")
        if not self.values or list(self.values) != sorted(set(self.values)):
            raise InvalidValueError(f"the values of gene {self.name} must be ascending, not {self.values}")
        if self.values[0] < 0 or self.values[-1] > LARGEST_VALUE:
            raise InvalidValueError(f"the values of gene {self.name} must be from 0 to {LARGEST_VALUE:,}")
        if self.labels and len(self.labels) != len(self.values):
            raise InvalidValueError(f"gene {self.name} has {len(self.values)} values and {len(self.labels)} labels")
        if self.block and not self.name.endswith(str(self.block)):
            raise InvalidValueError(
                f"the name of a gene of block {self.block} must end in {self.block}, not {self.name!r}"
            )

    @property
    def family(self) -> str:
        """Name without the number of the block: ``R`` for ``R3``."""
        return self.name[: -len(str(self.block))] if self.block else self.name

    def allowed(self) -> str:
        """Return the values as text: ``8 to 128``, ``3, 5, 7`` or ``A, B``."""
        if self.labels:
            return ", ".join(self.labels)
        if len(self.values) > 2 and self.values[-1] - self.values[0] == len(self.values) - 1:
            return f"{self.values[0]} to {self.values[-1]}"
        return ", ".join(map(str, self.values))

    def text(self, value: int) -> str:
        """Return the label of a value, or its number if it has none."""
        if self.labels and value in self.values:
            return self.labels[self.values.index(value)]
        return str(value)

    def value(self, text: str) -> int:
        """Parse a value written by `text`. `Bounds.of` checks the range.

        If no label is a number, the number of a value is also accepted, because tables contain numbers.

        Raises:
            InvalidValueError: the text is not a value.
        """
        text = text.strip()
        folded = [label.casefold() for label in self.labels]
        if text.casefold() in folded:
            return self.values[folded.index(text.casefold())]
        if text in map(str, self.values) and not any(label.isdecimal() for label in self.labels):
            return int(text)
        if self.labels or not text.isdecimal() or len(text) > _LONGEST:
            kind = f"must be one of {self.allowed()}" if self.labels else "must be a whole number"
            raise InvalidValueError(f"{self.name} {kind}, not {text[:_LONGEST]!r}{suggestion(self.labels, text)}")
        return int(text)


@dataclass(frozen=True)
class Genes(Sequence[Gene]):
    """Genes of a space, in the order of a population's columns."""

    entries: tuple[Gene, ...]
    depth: str = ""
    """Name of the gene with the number of blocks; empty in a space without blocks."""

    def __post_init__(self) -> None:
        """Check that the genes fit together.

        Raises:
            InvalidValueError: two genes have the same name, or no gene gives the number of blocks.
        """
        if len(set(self.names)) < len(self.entries):
            raise InvalidValueError(f"two genes have the same name: {', '.join(self.names)}")
        if any(gene.block for gene in self.entries) and self.depth not in self.names:
            raise InvalidValueError("a space with blocks needs a gene for the number of blocks (depth)")

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """The hash, cached because every generation of a search looks up genes in caches."""
        return hash((self.entries, self.depth))

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, place: int) -> Gene:  # type: ignore[override]
        return self.entries[place]

    def __add__(self, others: Genes) -> Genes:
        """Append genes that have no blocks."""
        return Genes((*self.entries, *others.entries), self.depth)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names of a population."""
        return tuple(gene.name for gene in self.entries)

    @cached_property
    def low(self) -> tuple[int, ...]:
        """``(g,)``: lowest value of each gene where it exists."""
        return tuple(gene.values[0] for gene in self.entries)

    @cached_property
    def high(self) -> tuple[int, ...]:
        """``(g,)``: highest value of each gene."""
        return tuple(gene.values[-1] for gene in self.entries)

    @cached_property
    def blocks(self) -> npt.NDArray[np.int16]:
        """``(g,)``: block of each gene."""
        return np.array([gene.block for gene in self.entries], dtype=np.int16)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Names for the genes of all blocks, such as ``R``."""
        return tuple(dict.fromkeys(gene.family for gene in self.entries if gene.block))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Mutation groups."""
        return tuple(dict.fromkeys(gene.group for gene in self.entries))

    @cached_property
    def costly(self) -> npt.NDArray[np.bool_]:
        """``(g,)``: True for genes whose larger values cost more."""
        return np.array([gene.costly for gene in self.entries], dtype=bool)

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """Columns of genes whose values are not a full range of whole numbers."""
        return tuple(
            place for place, gene in enumerate(self.entries) if gene.values[-1] - gene.values[0] != len(gene.values) - 1
        )

    @cached_property
    def depth_column(self) -> int:
        """Column of `depth`; -1 in a space without blocks."""
        return self.names.index(self.depth) if self.depth else -1

    def index(self, name: str) -> int:  # type: ignore[override]
        """Return the column of a gene."""
        return self.names.index(name)

    def exists(self, population: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
        """``(n, g)``: True for genes that exist in a network."""
        if not self.depth:
            return np.ones(population.shape, dtype=bool)
        return self.blocks <= population[:, self.depth_column, None]

    def clear_missing(self, population: Population) -> Population:
        """Set genes that do not exist to 0, in place, and return the population."""
        if self.depth:
            population[~self.exists(population)] = 0
        return population

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """``(n, g)``: each gene set to its nearest valid value; genes that do not exist are 0."""
        clipped = np.minimum(population, LARGEST_VALUE)  # large unsigned numbers would overflow int64
        clipped = np.clip(clipped.astype(np.int64), self.low, self.high)
        for place in self.gaps:
            values = np.array(self.entries[place].values)
            above = np.searchsorted(values, clipped[:, place])
            below = np.maximum(above - 1, 0)
            nearer = clipped[:, place] - values[below] < values[above] - clipped[:, place]
            clipped[:, place] = values[np.where(nearer, below, above)]
        return self.clear_missing(clipped.astype(np.int16))

    def columns(self, name: str) -> list[int]:
        """Return the columns of a name: one column for ``R3``, the columns of all blocks for ``R``.

        Raises:
            UnknownNameError: the gene is unknown; the message lists the known names.
        """
        if name in self.names:
            return [self.names.index(name)]
        if name in self.families:
            return [place for place, gene in enumerate(self.entries) if gene.block and gene.family == name]
        alone = [gene.name for gene in self.entries if not gene.block]
        known = ", ".join(alone)
        if self.families:
            most = int(self.blocks.max())
            one = self.families[0]
            known += f"; {', '.join(self.families)} (all blocks); or {one}1 to {one}{most} (one block)"
        raise UnknownNameError(
            f"unknown gene {name[:_LONGEST]!r}: choose {known}{suggestion([*self.names, *self.families], name)}"
        )

    def named(self, name: str) -> Gene:
        """Return the gene with this name; for a family, its first gene with the family's name and no block.

        Raises:
            UnknownNameError: the gene is unknown.
        """
        gene = self.entries[self.columns(name)[0]]
        return gene if gene.name == name else replace(gene, name=name, block=0)

    def size(self, counts: Sequence[int], depths: Sequence[int]) -> int:
        """Number of different genomes.

        Args:
            counts: ``(g,)``: number of values of each gene.
            depths: allowed values of `depth`; ignored in a space without blocks.
        """
        return sum(self.sizes(counts, depths))

    def sizes(self, counts: Sequence[int], depths: Sequence[int]) -> list[int]:
        """Return the number of different genomes for each depth."""
        if not self.depth:
            return [math.prod(counts)]
        return [
            math.prod(
                count
                for place, (count, gene) in enumerate(zip(counts, self.entries, strict=True))
                if gene.block <= depth and place != self.depth_column
            )
            for depth in depths
        ]


def unseen(population: Population, known: Population) -> Population:
    """``(k, g)``: rows of a population that are not in `known`, without duplicates, in their original order."""
    old = {genome.tobytes() for genome in np.ascontiguousarray(known, dtype=np.int16)}
    rows = np.ascontiguousarray(population, dtype=np.int16)
    new = {key: genome for genome in rows if (key := genome.tobytes()) not in old}
    return np.array(list(new.values()), dtype=np.int16).reshape(-1, population.shape[1])
