"""`ResNetSpace`: ResNet-like macro space of AnalogNAS (Benmeziane et al., 2023) as population matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.resnet import architecture as arch
from ohmnas.spaces.resnet import genes, variation
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.kinds import LAST, by_gene, by_kind
from ohmnas.spaces.resnet.layers import ResNetLayers, layers
from ohmnas.spaces.resnet.references import REFERENCES
from ohmnas.spaces.resnet.stages import stages
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Stage

if TYPE_CHECKING:
    from torch import nn

MUTATION_RATES: Final[Mapping[str, float]] = {"depth": 0.8, "width": 0.8, "other": 0.6}
"""AnalogNAS, section III: on average about two of the three groups mutate."""

_EXISTS: Final = np.arange(genes.BLOCKS) < np.arange(genes.BLOCKS + 1)[:, None]
_LOW, _HIGH = (
    np.hstack([np.tile(stem, (len(_EXISTS), 1)), np.kron(_EXISTS, block)]).astype(np.int16)
    for stem, block in ((genes.STEM_LOW, genes.BLOCK_LOW), (genes.STEM_HIGH, genes.BLOCK_HIGH))
)
"""``(b + 1, g)`` each: lowest and highest value of each gene, by gene M; genes of missing blocks are 0."""


@dataclass(frozen=True, slots=True)
class ResNetSpace(Space):
    """All architectures of the macro space: a stem, up to five main blocks of residual blocks, a linear layer."""

    name: ClassVar[str] = "resnet-1"
    architecture_genes: ClassVar[Genes] = genes.TABLE
    structure_names: ClassVar[tuple[str, ...]] = (
        "depth",
        "residual_blocks",
        "bottleneck_share",
        "skip_share",
        "longest_run_without_skip",
        "mean_branches",
        *(f"log2_channels{block + 1}" for block in range(genes.BLOCKS)),
    )
    """Shares and the mean are over residual blocks. The longest run without skip is counted in weight layers."""

    @property
    def references(self) -> Mapping[str, Architecture]:
        """ResNets, wide ResNets and ResNeXt-like networks."""
        return REFERENCES

    def layers(self, population: Population) -> Layers:
        """See `Space`."""
        return layers(population, self.input_shape, self.classes)

    def structure(self, population: Population, layers: Layers) -> npt.NDArray[np.float64]:
        """``(s, n)``: the features in `structure_names`."""
        decoded = layers.block_genes if isinstance(layers, ResNetLayers) else by_gene(population, np.int64)
        repeats, branches, conv_type, _, skip = decoded
        bottleneck = conv_type == genes.CODE_OF_CONV_TYPE["B"]
        depths = repeats * np.where(bottleneck, 3, 2)
        total = repeats.sum(axis=0)
        out = np.empty((len(self.structure_names), len(population)))
        out[0] = 2 + depths.sum(axis=0)
        out[1] = total
        out[2] = (repeats * bottleneck).sum(axis=0) / total
        out[3] = (repeats * skip).sum(axis=0) / total
        out[4] = _longest_run(depths * (skip == 0))
        out[5] = (repeats * branches).sum(axis=0) / total
        np.log2(np.where(repeats > 0, by_kind(layers.outputs.T)[LAST], 1), out=out[6:])
        return out

    @property
    def mutation_groups(self) -> tuple[str, ...]:
        """Mutation groups of AnalogNAS."""
        return tuple(MUTATION_RATES)

    def mutate(
        self, population: Population, rng: np.random.Generator, rates: Mapping[str, float] | None = None
    ) -> Population:
        """``(n, g)``: each row with one random mutation per group, with the group's probability."""
        return variation.mutate(population, {**MUTATION_RATES, **(rates or {})}, rng)

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g)``: see `resnet.variation.neighbours`."""
        return variation.neighbours(genome)

    def check(self, population: npt.NDArray[np.integer]) -> Population:
        """See `Space`. Valid populations take a fast path, because a search calls this often."""
        matrix = np.asarray(population)
        if matrix.ndim == 2 and matrix.shape[1] == genes.GENES and matrix.dtype.kind in "iu":
            depths = np.clip(matrix[:, genes.M], *arch.MAIN_BLOCKS)
            inside = (matrix >= _LOW[depths]) & (matrix <= _HIGH[depths])
            if inside.all() and (matrix[:, genes.KS0] % 2).all():
                return matrix.astype(np.int16)
        return Space.check(self, population)

    def architecture(self, values: dict[str, Any]) -> Architecture:
        """See `Space`."""
        return Architecture.from_dict(values)

    @property
    def choices(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """See `Space`."""
        return {
            "stem channels": ("OC0", (8, 12, 16, 24, 32, 48)),
            "stem kernel": ("KS0", (3, 5, 7)),
            "residual blocks (R)": ("R", (1, 2, 4, 8)),
            "branches (B)": ("B", (1, 2, 3, 4, 6)),
            "block type": ("CT", (1, 2)),
            "widening (WF)": ("WF", (1, 2, 3)),
            "skip": ("skip", (0, 1)),
        }

    @property
    def notation(self) -> str:
        """See `Space`."""
        return (
            "Notation: stem channels@kernel | residual blocks x [type, channels, branches] of each main block, with or "
            "without skip connections; depth: layers with weights on the longest path."
        )

    @property
    def choice_words(self) -> Mapping[str, Mapping[int, str]]:
        """See `Space`."""
        return {
            "stem kernel": {3: "3x3", 5: "5x5", 7: "7x7"},
            "block type": {1: "basic", 2: "bottleneck"},
            "skip": {0: "without", 1: "with"},
        }

    def traits(self, architecture: Architecture) -> dict[str, float]:
        """Depth counts weight layers. Branches are a mean over residual blocks; bottleneck and skip are shares."""
        blocks = architecture.blocks
        total = sum(block.residual_blocks for block in blocks)

        def mean_over_blocks(value: Callable[[MainBlock], int]) -> float:
            """Return the mean over residual blocks, exact if all are equal."""
            return sum(block.residual_blocks * value(block) for block in blocks) / total

        return {
            "depth": architecture.depth,
            "main_blocks": len(blocks),
            "stem_channels": architecture.stem_channels,
            "stem_kernel": architecture.stem_kernel,
            "last_channels": architecture.channels[-1],
            "branches": mean_over_blocks(lambda block: block.branches),
            "bottleneck": mean_over_blocks(lambda block: block.conv_type == "B"),
            "skip": mean_over_blocks(lambda block: block.skip),
        }

    @property
    def trait_groups(self) -> Mapping[str, tuple[list[float], list[str]]]:
        """See `Space`."""
        return {
            "skip": ([-0.01, 0.0, 0.999, 1.0], ["in no block", "in some", "in all"]),
            "bottleneck": ([-0.01, 0.0, 0.999, 1.0], ["basic blocks only", "both kinds", "bottlenecks only"]),
            "depth": ([0, 10, 20, 40, 1000], ["up to 10", "11 to 20", "21 to 40", "above 40"]),
            "branches": ([0, 1, 4, 12], ["1", "up to 4 on average", "more"]),
            "stem_kernel": ([0, 3, 5, 7], ["3x3", "5x5", "7x7"]),
        }

    def stages(self, architecture: Architecture) -> tuple[Stage, ...]:
        """See `resnet.stages.stages`."""
        return stages(architecture, self.input_shape, self.classes)

    def build(self, architecture: Architecture) -> nn.Module:
        """See `resnet.network.build`."""
        from ohmnas.spaces.resnet.network import build

        return build(architecture, self.input_shape, self.classes)

    def encode(self, architectures: Iterable[Architecture]) -> Population:
        """``(n, g)``: genomes of architectures; the inverse of `decode`."""
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
        """Return the architectures of n genomes.

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


def _longest_run(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``(b, n)`` -> ``(n,)``: largest sum over adjacent blocks without a 0 between them."""
    best: npt.NDArray[np.int64] = lengths[0]
    run = best
    for block in lengths[1:]:
        run = np.where(block > 0, run + block, 0)
        best = np.maximum(best, run)
    return best
