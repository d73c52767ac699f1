"""`Space`: a search space of architectures as population matrices, with genes, layers and networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces import sampling, variation
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.layers import Counts, Layers
from ohmnas.spaces.stages import Bar, Stage, side_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

_COMPARED = 5
"""Largest number of values of a gene that a study compares."""
_AT_ONCE = 1000
"""Architectures per batch; the layers of a batch fit into the processor's cache."""


class Architecture(Protocol):
    """Readable view of one network, as text and as a JSON object."""

    def __str__(self) -> str:
        """Return one line of text."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; `Space.architecture` reads them."""


@dataclass(frozen=True, slots=True)
class Space(ABC):
    """All architectures of one kind, for one image shape and one number of classes.

    A population of n architectures is an ``(n, g)`` int16 matrix with one column per gene. A subclass defines the genes
    and the layers that they encode. Sampling, bounds, mutation, crossover, neighbours, table columns and search are
    derived from these. Genomes are canonical: equal networks have equal genomes. `ohmnas.testing` has contract tests
    for spaces.
    """

    input_shape: tuple[int, int, int]
    """Channels, height and width of an image."""
    classes: int
    """Number of classes, the outputs of the network."""

    name: ClassVar[str]
    """Name in files. If the genes or their meaning change, the name must change too."""
    members: ClassVar[str] = "architectures"
    """Word for the rows of a population in messages."""
    has_chips: ClassVar[bool] = False
    """True if a row is a network and its chip."""
    architecture_genes: ClassVar[Genes]
    """Genes of a network."""
    structure_names: ClassVar[tuple[str, ...]] = ()
    """Column names of `structure`."""

    @abstractmethod
    def layers(self, population: Population) -> Layers:
        """Layers of ``(n, g)`` canonical networks, for all costs and noise features."""

    @abstractmethod
    def encode(self, architectures: Iterable[Any]) -> Population:
        """``(n, g)``: canonical genomes of architectures."""

    @abstractmethod
    def decode(self, population: npt.NDArray[np.integer]) -> list[Any]:
        """Return the architectures of n genomes.

        Raises:
            InvalidValueError: a genome is not canonical or out of range.
        """

    @abstractmethod
    def architecture(self, values: dict[str, Any]) -> Any:
        """Return the architecture from a JSON object written by `Architecture.to_dict`.

        Raises:
            InvalidValueError: the object is not an architecture.
        """

    @abstractmethod
    def build(self, architecture: Any) -> nn.Module:
        """Build the network (images to logits) with random weights from torch's global generator. Imports torch."""

    def stages(self, architecture: Any) -> tuple[Stage, ...]:
        """Stages of an architecture, for pictures and cost tables; the default has one stage for each kind of layer.

        Each kind of `layers` in the architecture belongs to exactly one stage (`Stage.kinds`).
        """
        layers = self.layers(self.encode([architecture]))
        found = []
        kinds = np.flatnonzero(layers.count[0]).tolist()
        for kind in kinds:
            count, channels = int(layers.count[0, kind]), int(layers.outputs[0, kind])
            last = kind == kinds[-1]
            title = "linear" if last else f"layers {kind + 1}"
            words = (f"{channels} classes",) if last else (f"{count} x {channels} channels",)
            bars = ((Bar(channels, "linear" if last else "spatial"),),) * count
            side = None if last else side_of(int(layers.positions[0, kind]), *self.input_shape[1:])
            found.append(Stage(title, words, bars, side, {kind: title}))
        return tuple(found)

    def draw(self, architecture: Any) -> Figure:
        """Draw an architecture to scale. Imports Matplotlib."""
        from ohmnas.spaces.picture import draw

        return draw(self, architecture)

    @property
    def choices(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """Choices for a study: name -> gene or gene family, and the values to compare."""
        chosen = {}
        for gene in self.genes:
            if gene.name != self.genes.depth and gene.family not in chosen:
                places = np.linspace(0, len(gene.values) - 1, min(len(gene.values), _COMPARED)).round().astype(int)
                chosen[gene.family] = gene.family, tuple(gene.values[place] for place in places)
        return chosen

    @property
    def notation(self) -> str:
        """Explanation of the text of an architecture, for people; empty by default."""
        return ""

    @property
    def choice_words(self) -> Mapping[str, Mapping[int, str]]:
        """Choice -> value -> name, for choices whose labels or numbers are unclear."""
        return {}

    def traits(self, architecture: Any) -> dict[str, float]:
        """Numbers that describe an architecture in table summaries; the default is its genes."""
        (row,) = self.encode([architecture]).tolist()
        return dict(zip(self.gene_names, row, strict=True))

    @property
    def trait_groups(self) -> Mapping[str, tuple[list[float], list[str]]]:
        """Trait -> group edges for summaries (upper edge included) and group names."""
        return {
            gene.name: ([value - 0.5 for value in (*gene.values, gene.values[-1] + 1)], list(gene.labels))
            for gene in self.genes
            if gene.labels
        }

    @property
    def references(self) -> Mapping[str, Any]:
        """Name -> well-known architecture; campaigns measure these first, and results are compared with them."""
        return {}

    def structure(self, population: Population, layers: Layers) -> npt.NDArray[np.float64]:  # noqa: ARG002 - overridden
        """``(s, n)``: additional features for a surrogate, derived from the genes; the default has none."""
        return np.empty((0, len(population)))

    def work(self, population: Population) -> npt.NDArray[np.float64]:
        """``(w, n)``: work of a device for one image, as quantities whose latencies add up.

        The default is the number, outputs and multiply-accumulates of the layers, each by kind and in total.
        """
        layers = self.layers(population)
        outputs = layers.count * layers.outputs * layers.positions
        parts = [layers.count, outputs, outputs * layers.inputs]
        return np.vstack([rows for part in parts for rows in (part.T, part.sum(axis=1)[None])]).astype(np.float64)

    def canonical(self, population: Population) -> Population:
        """Return the canonical genomes. By default, all genomes are canonical, and this changes nothing."""
        return population

    @property
    def genes(self) -> Genes:
        """Genes of a row."""
        return self.architecture_genes

    @property
    def subspace_genes(self) -> tuple[str, ...]:
        """Genes or gene families that sub-spaces bound (`search.subspaces`).

        By default, these are the number of blocks and all costly genes.
        """
        families = [gene.family for gene in self.genes if gene.costly or gene.name == self.genes.depth]
        return tuple(dict.fromkeys(families))

    @property
    def mutation_groups(self) -> tuple[str, ...]:
        """Mutation groups, each with its own probability in `mutate`."""
        return self.genes.groups

    @property
    def gene_names(self) -> tuple[str, ...]:
        """Column names of a population."""
        return self.genes.names

    @property
    def everything(self) -> Bounds:
        """Bounds of the whole space."""
        return Bounds.everything(self.genes)

    @property
    def networks(self) -> Space:
        """Space of the networks without chips: this space."""
        return self

    def on_chips(self, networks: Population, within: Bounds) -> Population:  # noqa: ARG002 - used by `CoDesignSpace`
        """``(n, g)`` networks on each chip within the bounds; unchanged in a space without chips."""
        return networks

    def chip_names(self, population: Population) -> list[str]:
        """``(n,)``: chip of each row; empty names in a space without chips."""
        return [""] * len(population)

    @property
    def size(self) -> int:
        """Number of genomes, canonical or not."""
        return self.everything.size

    def sample_uniform(self, n: int, rng: np.random.Generator) -> Population:
        """``(n, g)``: each gene uniform over its values; rows may repeat."""
        return self.canonical(sampling.uniform(n, rng, self.everything))

    def sample_latin_hypercube(self, n: int, rng: np.random.Generator) -> Population:
        """``(n, g)``: Latin hypercube over the genes."""
        return self.canonical(sampling.latin_hypercube(n, rng, self.everything))

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
        """``(n, g)``: distinct architectures within bounds, spread evenly over the logarithm of the parameter count.

        Raises:
            InfeasibleError: fewer than n (or `at_least`) architectures were found within the bounds.
        """
        bounds = (max_params, max_macs, min_params, min_macs)
        inside = within or self.everything
        return sampling.stratified(n, rng, inside, self.params_and_macs, self.canonical, *bounds, at_least, max_batches)

    def mutate(
        self, population: Population, rng: np.random.Generator, rates: Mapping[str, float] | None = None
    ) -> Population:
        """``(n, g)``: each row with one random mutation per gene group, with the group's probability."""
        return self.canonical(variation.mutate(self.genes, population, rates or {}, rng))

    def cross(self, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:
        """``(n, g)``: one child of each pair, by uniform crossover of genes and blocks."""
        return self.canonical(variation.crossover(self.genes, mothers, fathers, rng))

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g)``: architectures one step from a ``(g,)`` genome, without duplicates."""
        near = np.unique(self.canonical(variation.neighbours(self.genes, genome)), axis=0)
        others: Population = near[(near != genome).any(axis=1)]
        return others

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """Return the nearest valid, canonical genomes."""
        return self.canonical(self.genes.repair(population))

    def check(self, population: npt.NDArray[np.integer]) -> Population:
        """Return the population as int16 if each row is a canonical genome of this space.

        Raises:
            InvalidValueError: the population has the wrong shape or type, or a gene is out of range or not canonical;
                for a gene, the message shows the row, the gene, its value and the nearest valid value.
        """
        matrix = np.asarray(population)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.genes):
            raise InvalidValueError(
                f"a genome of {self.name} must have {len(self.genes)} genes, not shape {matrix.shape}"
            )
        if matrix.dtype.kind not in "iu":
            raise InvalidValueError(f"genes must be whole numbers, not {matrix.dtype}")
        repaired = self.repair(matrix)
        if (repaired == matrix).all():
            return repaired
        row, gene = np.argwhere(repaired != matrix)[0]
        raise InvalidValueError(
            f"genome {row}: gene {self.gene_names[gene]} is {matrix[row, gene]}, which is out of range or not "
            f"canonical; the nearest valid value is {repaired[row, gene]}"
        )

    def params(self, population: Population) -> Counts:
        """``(n,)``: exact number of trainable parameters."""
        return self.layers(population).params()

    def macs(self, population: Population) -> Counts:
        """``(n,)``: exact number of multiply-accumulates per image."""
        return self.layers(population).macs()

    def params_and_macs(self, population: Population) -> tuple[Counts, Counts]:
        """``(n,)`` each: parameters and MACs; faster than two calls for large n."""
        costs = np.empty((2, len(population)), dtype=np.int64)
        for start in range(0, len(population), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            layers = self.layers(population[rows])
            costs[:, rows] = layers.params(), layers.macs()
        return costs[0], costs[1]
