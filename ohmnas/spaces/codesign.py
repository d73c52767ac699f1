"""`CoDesignSpace`: networks and the chips that they run on as one space, so that both are searched together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import look_up
from ohmnas.spaces import chips, genes
from ohmnas.spaces.architecture import Architecture
from ohmnas.spaces.bounds import EVERY_DESIGN, Bounds
from ohmnas.spaces.chips import Chips
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.resnet import MUTATION_RATES, ResNetSpace

CHIP_RATE: Final = 0.5
"""Share of the children whose chip changes, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class CoDesignSpace(ResNetSpace):
    """A design is a network and a chip: ``(n, g + c)``, the genes of `ResNetSpace`, then those of `spaces.chips`."""

    name: ClassVar[str] = "resnet-1+chips-1"
    members: ClassVar[str] = "designs"
    has_chips: ClassVar[bool] = True

    @property
    def gene_names(self) -> tuple[str, ...]:
        """Column names of a population."""
        return (*genes.GENE_NAMES, *chips.CHIP_GENE_NAMES)

    @property
    def everything(self) -> Bounds:
        """The whole space."""
        return EVERY_DESIGN

    @property
    def networks(self) -> ResNetSpace:
        """The space of the networks alone."""
        return ResNetSpace(self.input_shape, self.classes)

    def chips(self, population: Population) -> Chips:
        """``(n, c)``: the genes of the chips; a view."""
        return population[:, genes.GENES :]

    def chip_names(self, population: Population) -> list[str]:
        """``(n,)``: the chip of each row."""
        return [chip.name for chip in chips.to_hardware(self.chips(population))]

    def mutate(
        self, population: Population, rng: np.random.Generator, rates: Mapping[str, float] = MUTATION_RATES
    ) -> Population:
        """``(n, g + c)``: mutants of the networks, some of them on another chip (rate ``chip``, else `CHIP_RATE`)."""
        offspring = ResNetSpace.mutate(self, population, rng, rates)
        moved = rng.random(len(offspring)) < rates.get("chip", CHIP_RATE)
        offspring[moved, genes.GENES :] = chips.mutate(self.chips(offspring[moved]), rng)
        return offspring

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g + c)``: neighbours of the network on the same chip, and the same network on neighbouring chips."""
        others = chips.neighbours(genome[genes.GENES :])
        moved = np.column_stack([np.tile(genome[: genes.GENES], (len(others), 1)), others])
        return np.concatenate([ResNetSpace.neighbours(self, genome), moved])

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """The nearest valid, canonical genomes."""
        repaired = ResNetSpace.repair(self, population)
        repaired[:, genes.GENES :] = np.clip(population[:, genes.GENES :], chips.LOW, chips.HIGH)
        return repaired

    def check(self, population: npt.NDArray[np.integer]) -> Population:
        """The population as int16, if each row is a canonical genome of this space.

        Raises:
            InvalidValueError: a gene is out of range; the message names the row, the gene, its value and the nearest.
        """
        matrix = np.asarray(population)
        if matrix.dtype.kind == "u":
            matrix = matrix.astype(np.int64)
        width = len(self.gene_names)
        if matrix.ndim != 2 or matrix.shape[1] != width:
            raise InvalidValueError(f"a genome of {self.name} has {width} genes, not shape {matrix.shape}")
        network = self.networks.check(matrix[:, : genes.GENES])
        chip = matrix[:, genes.GENES :]
        nearest = np.clip(chip, chips.LOW, chips.HIGH)
        if (nearest != chip).any():
            row, gene = np.argwhere(nearest != chip)[0]
            raise InvalidValueError(
                f"genome {row}: gene {chips.CHIP_GENE_NAMES[gene]} is {chip[row, gene]}, which is out of its range; "
                f"{nearest[row, gene]} would be"
            )
        return np.column_stack([network, chip.astype(np.int16)])

    def encode(self, architectures: Iterable[Architecture], chip: Hardware | None = None) -> Population:
        """``(n, g + c)``: the genomes of architectures on a chip; None is the ``pcm`` preset.

        Raises:
            InvalidValueError: the chip is not of this space.
        """
        row, described = chips.from_hardware([chip or Hardware()])
        if not described[0]:
            raise InvalidValueError(f"the chip {(chip or Hardware()).name!r} has settings that are no genes")
        networks = ResNetSpace.encode(self, architectures)
        return np.column_stack([networks, np.repeat(row, len(networks), axis=0)])

    def on_chips(self, networks: Population, within: Bounds) -> Population:
        """``(n * chips, g + c)``: each of ``(n, g)`` networks on each chip within bounds, network by network."""
        low, high = (np.array(ends[genes.GENES :]) for ends in (within.low, within.high))
        every = chips.every_chip()
        some = every[((every >= low) & (every <= high)).all(axis=1)]
        return np.column_stack([np.repeat(networks, len(some), axis=0), np.tile(some, (len(networks), 1))])


Settings = Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]]
"""Of one chip, or for each name ``(n,)``: those of the chip of each row."""


def chip_settings(space: ResNetSpace, population: Population, chip: Settings) -> Settings:
    """What to know of the chips of ``(n, g)`` architectures: of their own where they have one, else of the given."""
    return chips.descriptions(space.chips(population)) if isinstance(space, CoDesignSpace) else chip


SPACES: Final = {kind.name: kind for kind in (ResNetSpace, CoDesignSpace)}


def space_of(name: str, input_shape: tuple[int, int, int], classes: int) -> ResNetSpace:
    """The space that a file names.

    Raises:
        UnknownNameError: there is no such space.
    """
    return look_up("space", SPACES, name)(input_shape, classes)
