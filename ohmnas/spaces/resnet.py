"""`ResNetSpace`: the ResNet-like macro space of AnalogNAS (Benmeziane et al., 2023) as population matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces import architecture as arch
from ohmnas.spaces import cost, genes, sampling, variation
from ohmnas.spaces.architecture import Architecture, MainBlock
from ohmnas.spaces.bounds import EVERYTHING, Bounds
from ohmnas.spaces.genes import Population

MUTATION_RATES: Final[Mapping[str, float]] = {"depth": 0.8, "width": 0.8, "other": 0.6}
"""AnalogNAS, section III: about two of the three groups change in each child."""

_EXISTS: Final = np.arange(genes.BLOCKS) < np.arange(genes.BLOCKS + 1)[:, None]
_LOW, _HIGH = (
    np.hstack([np.tile(stem, (len(_EXISTS), 1)), np.kron(_EXISTS, block)]).astype(np.int16)
    for stem, block in ((genes.STEM_LOW, genes.BLOCK_LOW), (genes.STEM_HIGH, genes.BLOCK_HIGH))
)
"""``(b + 1, g)`` each: least and most of each gene, by gene M; blocks that do not exist have the gene 0."""

_AT_ONCE = 1000
"""Architectures whose layer tables stay near the processor."""


@dataclass(frozen=True, slots=True)
class ResNetSpace:
    """All architectures of the macro space, for images of one shape and a number of classes.

    A population of n is an ``(n, g)`` int16 matrix whose columns are `genes.GENE_NAMES`. Genomes are canonical: the
    genes of main blocks that do not exist are 0, so that equal networks have equal genomes.
    """

    input_shape: tuple[int, int, int]
    """Channels, height, width of an image."""
    classes: int
    """Outputs of the network."""

    name: ClassVar[str] = "resnet-1"
    """Names the genes and their meaning; a change of either is another name, and surrogates refuse another name."""
    members: ClassVar[str] = "architectures"
    """What people call rows of a population."""
    has_chips: ClassVar[bool] = False
    """Whether a row is a network and the chip that it is on."""

    @property
    def gene_names(self) -> tuple[str, ...]:
        """Column names of a population."""
        return genes.GENE_NAMES

    @property
    def everything(self) -> Bounds:
        """The whole space."""
        return EVERYTHING

    @property
    def networks(self) -> ResNetSpace:
        """The space of the networks alone: this one."""
        return self

    def on_chips(self, networks: Population, within: Bounds) -> Population:  # noqa: ARG002 - a space with chips has some
        """``(n, g)`` networks on each chip of the space within bounds: here, where there is no choice, as they are."""
        return networks

    def chip_names(self, population: Population) -> list[str]:
        """``(n,)``: the chip of each row; here, where there are none, empty."""
        return [""] * len(population)

    @property
    def size(self) -> int:
        """How many different architectures there are (about 1e20)."""
        return self.everything.size

    def sample_uniform(self, n: int, rng: np.random.Generator) -> Population:
        """``(n, g)``: each gene uniform over its values; rows may repeat."""
        return sampling.uniform(n, rng, self.everything)

    def sample_latin_hypercube(self, n: int, rng: np.random.Generator) -> Population:
        """``(n, g)``: Latin hypercube over the genes."""
        return sampling.latin_hypercube(n, rng, self.everything)

    def sample(
        self,
        n: int,
        rng: np.random.Generator,
        max_params: float = np.inf,
        max_macs: float = np.inf,
        min_params: float = 0,
        min_macs: float = 0,
        at_least: int | None = None,
        within: Bounds | None = None,
        max_batches: int = sampling.MAX_BATCHES,
    ) -> Population:
        """``(n, g)``: all different, evenly spread over log parameters within the bounds.

        Raises:
            InfeasibleError: the bounds leave fewer than n (or `at_least`) architectures that could be found.
        """
        bounds = (max_params, max_macs, min_params, min_macs)
        return sampling.stratified(
            n, rng, self.params_and_macs, *bounds, at_least, within or self.everything, max_batches
        )

    def mutate(
        self, population: Population, rng: np.random.Generator, rates: Mapping[str, float] = MUTATION_RATES
    ) -> Population:
        """``(n, g)``: each row with one random mutation of each group, with the group's probability."""
        return variation.mutate(population, dict(rates), rng)

    def cross(self, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:
        """``(n, g)``: one child of each pair, uniform by stage."""
        return variation.crossover(mothers, fathers, rng)

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g)``: all that one step leads to from a ``(g,)`` genome."""
        return variation.neighbours(genome)

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """The nearest valid, canonical genomes: genes clipped to their ranges, inactive blocks cleared."""
        clipped = np.maximum(np.minimum(population, 2**15 - 1).astype(np.int64), -1)
        clipped[:, :3] = np.clip(clipped[:, :3], genes.STEM_LOW, genes.STEM_HIGH)
        clipped[:, genes.KS0] += 1 - clipped[:, genes.KS0] % 2  # kernel sizes are odd
        repaired = clipped.astype(np.int16)
        blocks = genes.block_view(repaired)
        np.clip(blocks, genes.BLOCK_LOW, genes.BLOCK_HIGH, out=blocks)
        return genes.clear_inactive(repaired)

    def check(self, population: npt.NDArray[np.integer]) -> Population:
        """The population as int16, if each row is a canonical genome of this space.

        Raises:
            InvalidValueError: a gene is out of range; the message names the row, the gene, its value and the nearest.
        """
        matrix = np.asarray(population)
        if matrix.ndim != 2 or matrix.shape[1] != genes.GENES:
            raise InvalidValueError(f"a genome of {self.name} has {genes.GENES} genes, not shape {matrix.shape}")
        if matrix.dtype.kind not in "iu":
            raise InvalidValueError(f"genes are whole numbers, not {matrix.dtype}")
        depths = np.clip(matrix[:, genes.M], *arch.MAIN_BLOCKS)
        inside = (matrix >= _LOW[depths]) & (matrix <= _HIGH[depths])
        if inside.all() and (matrix[:, genes.KS0] % 2).all():
            return matrix.astype(np.int16)
        repaired = self.repair(matrix)
        row, gene = np.argwhere(repaired != matrix)[0]
        raise InvalidValueError(
            f"genome {row}: gene {genes.GENE_NAMES[gene]} is {matrix[row, gene]}, which is out of its range or not "
            f"canonical; {repaired[row, gene]} would be"
        )

    def params(self, population: Population) -> npt.NDArray[np.int64]:
        """``(n,)``: exact trainable parameters."""
        return self.layer_table(population).params()

    def macs(self, population: Population) -> npt.NDArray[np.int64]:
        """``(n,)``: exact multiply-accumulates for one image."""
        return self.layer_table(population).macs()

    def params_and_macs(self, population: Population) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """``(n,)`` each: what limits are mostly set on; faster than either alone where n is large."""
        costs = np.empty((2, len(population)), dtype=np.int64)
        for start in range(0, len(population), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            table = self.layer_table(population[rows])
            costs[:, rows] = table.params(), table.macs()
        return costs[0], costs[1]

    def layer_table(self, population: Population) -> cost.LayerTable:
        """What all costs are sums over; ask once for several costs."""
        return cost.layer_table(population, self.input_shape, self.classes)

    def encode(self, architectures: Iterable[Architecture]) -> Population:
        """``(n, g)``: the genomes of architectures; the inverse of `decode`."""
        rows = []
        for architecture in architectures:
            row = np.zeros(genes.GENES, dtype=np.int16)
            row[: genes.FIRST_BLOCK_GENE] = (
                architecture.stem_channels,
                architecture.stem_kernel,
                len(architecture.blocks),
            )
            for m, block in enumerate(architecture.blocks):
                start = genes.FIRST_BLOCK_GENE + m * genes.GENES_PER_BLOCK
                row[start : start + genes.GENES_PER_BLOCK] = (
                    block.residual_blocks,
                    block.branches,
                    genes.CODE_OF_CONV_TYPE[block.conv_type],
                    block.widening,
                    block.skip,
                )
            rows.append(row)
        return np.array(rows, dtype=np.int16).reshape(len(rows), genes.GENES)

    def decode(self, population: npt.NDArray[np.integer]) -> list[Architecture]:
        """The architectures of n genomes.

        Raises:
            InvalidValueError: a genome is not canonical or out of range.
        """
        matrix = self.check(population)
        architectures = []
        for row, blocks in zip(matrix, genes.block_view(matrix), strict=True):
            active = blocks[: row[genes.M]].tolist()
            architectures.append(
                Architecture(
                    int(row[genes.OC0]),
                    int(row[genes.KS0]),
                    tuple(MainBlock(r, b, arch.CONV_TYPES[ct - 1], wf, bool(skip)) for r, b, ct, wf, skip in active),
                )
            )
        return architectures
