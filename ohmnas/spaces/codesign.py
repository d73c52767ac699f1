"""`CoDesignSpace`: networks and their chips as one space, to search both together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.hardware import chip_genes as chips
from ohmnas.hardware.chip_genes import Chips
from ohmnas.lookup import unknown_name
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.catalogue import kind_called, names_in_files
from ohmnas.spaces.genes import Gene, Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Stage

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

CHIP_RATE: Final = 0.5
"""Default share of children with a mutated chip."""
SUFFIX: Final = "+chips-1"
"""Suffix added to the name of the networks' space."""


def _gene(place: int, name: str) -> Gene:
    values = tuple(range(int(chips.LOW[place]), int(chips.HIGH[place]) + 1))
    labels = tuple(chips.chip_text(name, value) for value in values) if place in (chips.TECH, chips.TILE) else ()
    return Gene(name, values, labels, ordered=place != chips.TECH, group="chip")


CHIP_GENES: Final = Genes(tuple(_gene(place, name) for place, name in enumerate(chips.CHIP_GENE_NAMES)))
"""Technology, tile side, converter bits."""


@dataclass(frozen=True, slots=True)
class CoDesignSpace(Space):
    """Designs: networks, each with its chip.

    A population is ``(n, g + c)``: g genes of the network, then c genes of the chip.
    """

    network_space: Space
    """Space of the networks."""

    members: ClassVar[str] = "designs"
    has_chips: ClassVar[bool] = True

    @classmethod
    def on(cls, networks: Space) -> CoDesignSpace:
        """Return the space of the designs with these networks."""
        return cls(networks.input_shape, networks.classes, networks)

    @property
    def notation(self) -> str:
        """See `Space`."""
        return self.networks.notation

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the networks' space with `SUFFIX`."""
        return f"{self.network_space.name}{SUFFIX}"

    @property
    def networks(self) -> Space:
        """Space of the networks."""
        return self.network_space

    @property
    def genes(self) -> Genes:
        """Genes of the network, then `CHIP_GENES`."""
        return self.network_space.genes + CHIP_GENES

    @property
    def references(self) -> Mapping[str, Any]:
        """References of the networks' space."""
        return self.network_space.references

    def split(self, population: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """``(n, g + c)`` -> ``(n, g)`` networks and ``(n, c)`` chips; views."""
        width = len(self.network_space.genes)
        return population[:, :width], population[:, width:]

    def chips(self, population: Population) -> Chips:
        """``(n, c)``: genes of the chips; a view."""
        return self.split(population)[1]

    def chip_names(self, population: Population) -> list[str]:
        """``(n,)``: name of each row's chip."""
        return [chip.name for chip in chips.to_hardware(self.chips(population))]

    def layers(self, population: Population) -> Layers:
        """Layers of the networks."""
        return self.network_space.layers(self.split(population)[0])

    def structure(self, population: Population, layers: Layers) -> npt.NDArray[np.float64]:
        """Structure of the networks."""
        return self.network_space.structure(self.split(population)[0], layers)

    def canonical(self, population: Population) -> Population:
        """``(n, g + c)``: the canonical networks on the same chips."""
        network, chip = self.split(population)
        return np.column_stack([self.network_space.canonical(network), chip])

    def mutate(
        self, population: Population, rng: np.random.Generator, rates: Mapping[str, float] | None = None
    ) -> Population:
        """``(n, g + c)``: mutated networks, some on a different chip (rate ``chip``, default `CHIP_RATE`)."""
        network, chip = self.split(population)
        network, chip = self.network_space.mutate(network, rng, rates), chip.copy()
        moved = rng.random(len(chip)) < (rates or {}).get("chip", CHIP_RATE)
        chip[moved] = chips.mutate(chip[moved], rng)
        return np.column_stack([network, chip])

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g + c)``: neighbours of the network on the same chip, and the network on neighbouring chips."""
        (network,), (chip,) = self.split(genome[None])
        near, others = self.network_space.neighbours(network), chips.neighbours(chip)
        here = np.column_stack([near, np.tile(chip, (len(near), 1))])
        return np.concatenate([here, np.column_stack([np.tile(network, (len(others), 1)), others])])

    def check(self, population: npt.NDArray[np.integer]) -> Population:
        """See `Space`; the networks' own space checks the networks."""
        matrix = np.asarray(population)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.genes):
            raise InvalidValueError(
                f"a genome of {self.name} must have {len(self.genes)} genes, not shape {matrix.shape}"
            )
        if matrix.dtype.kind == "u":
            matrix = matrix.astype(np.int64)
        network, chip = self.split(matrix)
        network = self.network_space.check(network)
        nearest = np.clip(chip, chips.LOW, chips.HIGH)
        if (nearest != chip).any():
            row, gene = np.argwhere(nearest != chip)[0]
            raise InvalidValueError(
                f"genome {row}: gene {chips.CHIP_GENE_NAMES[gene]} is {chip[row, gene]}, which is out of range; "
                f"the nearest valid value is {nearest[row, gene]}"
            )
        return np.column_stack([network, chip.astype(np.int16)])

    def encode(self, architectures: Iterable[Any], chip: Hardware | None = None) -> Population:
        """``(n, g + c)``: genomes of architectures on one chip; None is the ``pcm`` preset.

        Raises:
            InvalidValueError: the chip cannot be encoded.
        """
        row, described = chips.from_hardware([chip or Hardware()])
        if not described[0]:
            raise InvalidValueError(
                f"the chip {(chip or Hardware()).name!r} has settings that chip genes cannot encode"
            )
        networks = self.network_space.encode(architectures)
        return np.column_stack([networks, np.repeat(row, len(networks), axis=0)])

    def decode(self, population: npt.NDArray[np.integer]) -> list[Any]:
        """Architectures of the networks."""
        return self.network_space.decode(self.split(self.check(population))[0])

    def architecture(self, values: dict[str, Any]) -> Any:
        """See the networks' space."""
        return self.network_space.architecture(values)

    def traits(self, architecture: Any) -> dict[str, float]:
        """See the networks' space."""
        return self.network_space.traits(architecture)

    def stages(self, architecture: Any) -> tuple[Stage, ...]:
        """See the networks' space."""
        return self.network_space.stages(architecture)

    def draw(self, architecture: Any) -> Figure:
        """See the networks' space."""
        return self.network_space.draw(architecture)

    def build(self, architecture: Any) -> nn.Module:
        """See the networks' space."""
        return self.network_space.build(architecture)

    def on_chips(self, networks: Population, within: Bounds) -> Population:
        """``(n * chips, g + c)``: each of ``(n, g)`` networks on each chip within the bounds, network by network."""
        width = len(self.network_space.genes)
        low, high = (np.array(ends[width:]) for ends in (within.low, within.high))
        every = chips.every_chip()
        some = every[((every >= low) & (every <= high)).all(axis=1)]
        return np.column_stack([np.repeat(networks, len(some), axis=0), np.tile(some, (len(networks), 1))])


Settings = Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]]
"""Settings of one chip, or name -> ``(n,)`` settings of each row's chip."""


def chip_settings(space: Space, population: Population, chip: Settings) -> Settings:
    """Return the settings of each row's own chip, or `chip` if rows have none."""
    return chips.descriptions(space.chips(population)) if isinstance(space, CoDesignSpace) else chip


def space_of(name: str, input_shape: tuple[int, int, int], classes: int) -> Space:
    """Return the space with this name in files, such as ``resnet-1``, ``cells-1`` or ``resnet-1+chips-1``.

    Raises:
        UnknownNameError: the space is unknown.
    """
    base = name.removesuffix(SUFFIX)
    kind = kind_called(base)
    if kind is None:
        raise unknown_name("space", names_in_files(), name)
    networks = kind(input_shape, classes)
    return CoDesignSpace.on(networks) if name != base else networks
