"""`MobileSpace`: inverted residuals with depthwise convolutions and an input resolution, as population matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.mobile import architecture as arch
from ohmnas.spaces.mobile import genes
from ohmnas.spaces.mobile.architecture import MobileArchitecture, MobileStage
from ohmnas.spaces.mobile.layers import layers
from ohmnas.spaces.mobile.references import REFERENCES
from ohmnas.spaces.mobile.stages import stages
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Stage

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class MobileSpace(Space):
    """Networks of up to seven stages of inverted residuals or depthwise separable blocks, on a resized image."""

    name: ClassVar[str] = "mobile-1"
    architecture_genes: ClassVar[Genes] = genes.TABLE
    structure_names: ClassVar[tuple[str, ...]] = (
        "resolution",
        "last_side",
        "depth",
        "blocks",
        "separable_share",
        "mean_expansion",
        "mean_kernel",
        *(f"log2_width{stage + 1}" for stage in range(genes.STAGES)),
    )
    """Shares and means are over blocks. Resolution and last side refer to the longer side of an image, in pixels."""

    @property
    def references(self) -> Mapping[str, MobileArchitecture]:
        """DS-CNN, MobileNet and MobileNetV2."""
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
        depth, expansion, kernel, width, stride = genes.by_gene(population)
        blocks = depth.sum(axis=0)
        side = genes.resized(population[:, genes.RES], max(self.input_shape[1:])).astype(np.float64)
        out = np.empty((len(self.structure_names), len(population)))
        out[0] = side
        out[1] = side / (np.maximum(stride, 1).prod(axis=0) * population[:, genes.S0])
        out[2] = 2 + (depth * np.where(expansion > 1, 3, 2)).sum(axis=0) + (population[:, genes.HEAD] > 0)
        out[3] = blocks
        out[4] = (depth * (expansion == arch.SEPARABLE)).sum(axis=0) / blocks
        out[5] = (depth * np.maximum(expansion, 1)).sum(axis=0) / blocks
        out[6] = (depth * kernel).sum(axis=0) / blocks
        np.log2(np.maximum(width, 1), out=out[7:])
        return out

    def canonical(self, population: Population) -> Population:
        """See `mobile.genes.canonical`."""
        return genes.canonical(population, *self.input_shape[1:])

    def architecture(self, values: dict[str, Any]) -> MobileArchitecture:
        """See `Space`."""
        return MobileArchitecture.from_dict(values)

    @property
    def choices(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """See `Space`."""
        return {
            "resolution (RES)": ("RES", (4, 5, 6, 7, 8)),
            "stem channels": ("C0", (8, 16, 24, 32, 64)),
            "stem stride": ("S0", arch.STRIDES),
            "depth (D)": ("D", (1, 2, 3, 4, 6)),
            "expansion (E)": ("E", arch.EXPANSIONS),
            "depthwise kernel (K)": ("K", arch.KERNELS),
            "width (W)": ("W", (8, 16, 24, 32, 48, 64)),
            "stride (S)": ("S", arch.STRIDES),
            "head": ("HEAD", arch.HEADS),
        }

    @property
    def choice_words(self) -> Mapping[str, Mapping[int, str]]:
        """See `Space`."""
        return {
            "resolution (RES)": {value: f"{value}/8" for value in arch.RESOLUTIONS},
            "depthwise kernel (K)": {value: f"{value}x{value}" for value in arch.KERNELS},
            "expansion (E)": {arch.SEPARABLE: "separable", **{value: f"x{value}" for value in arch.EXPANSIONS[1:]}},
            "head": {0: "none", **{value: f"x{value}" for value in arch.HEADS[1:]}},
        }

    @property
    def subspace_genes(self) -> tuple[str, ...]:
        """Resolution and widths as in TinyNAS, plus the number of stages, depths and expansions."""
        return ("RES", "C0", "HEAD", "M", "D", "E", "W")

    def traits(self, architecture: MobileArchitecture) -> dict[str, float]:
        """Depth counts weight layers. The share of separable blocks, expansion and kernel are means over blocks."""
        total = sum(stage.depth for stage in architecture.stages)
        return {
            "depth": architecture.depth,
            "stages": len(architecture.stages),
            "resolution": architecture.resolution,
            "stem_channels": architecture.stem_channels,
            "last_channels": architecture.features,
            "separable": sum(stage.depth * (stage.expansion == arch.SEPARABLE) for stage in architecture.stages)
            / total,
            "expansion": sum(stage.depth * max(stage.expansion, 1) for stage in architecture.stages) / total,
            "kernel": sum(stage.depth * stage.kernel for stage in architecture.stages) / total,
        }

    @property
    def trait_groups(self) -> Mapping[str, tuple[list[float], list[str]]]:
        """See `Space`."""
        return {
            "resolution": ([0, 4, 7, 8], ["up to half", "above half", "full"]),
            "separable": ([-0.01, 0.0, 0.999, 1.0], ["inverted residuals only", "both kinds", "separable only"]),
            "expansion": ([0, 1, 3, 6], ["1", "up to 3 on average", "more"]),
            "kernel": ([0, 3, 5, 7], ["3x3", "up to 5 on average", "more"]),
            "depth": ([0, 10, 20, 40, 1000], ["up to 10", "11 to 20", "21 to 40", "above 40"]),
        }

    def stages(self, architecture: MobileArchitecture) -> tuple[Stage, ...]:
        """See `mobile.stages.stages`."""
        return stages(architecture, self.input_shape, self.classes)

    def build(self, architecture: MobileArchitecture) -> nn.Module:
        """See `mobile.network.build`."""
        from ohmnas.spaces.mobile.network import build

        return build(architecture, self.input_shape, self.classes)

    def encode(self, architectures: Iterable[MobileArchitecture]) -> Population:
        """``(n, g)``: canonical genomes of architectures."""
        rows = []
        for one in architectures:
            row = np.zeros(genes.GENES, dtype=np.int16)
            row[: genes.FIRST_STAGE_GENE] = (
                one.resolution,
                one.stem_channels,
                one.stem_kernel,
                one.stem_stride,
                one.head,
                len(one.stages),
            )
            values = [(stage.depth, stage.expansion, stage.kernel, stage.width, stage.stride) for stage in one.stages]
            row[genes.FIRST_STAGE_GENE : genes.FIRST_STAGE_GENE + 5 * len(values)] = np.ravel(values)
            rows.append(row)
        return self.canonical(np.array(rows, dtype=np.int16).reshape(len(rows), genes.GENES))

    def decode(self, population: npt.NDArray[np.integer]) -> list[MobileArchitecture]:
        """Return the architectures of n genomes.

        Raises:
            InvalidValueError: a genome is not canonical or out of range.
        """
        matrix = self.check(population)
        found = []
        for row in matrix.tolist():
            resolution, channels, kernel, stride, head, depth = row[: genes.FIRST_STAGE_GENE]
            values = [
                row[start : start + genes.GENES_PER_STAGE]
                for start in range(genes.FIRST_STAGE_GENE, genes.GENES, genes.GENES_PER_STAGE)
            ]
            stages = tuple(MobileStage(*one) for one in values[:depth])
            found.append(MobileArchitecture(resolution, channels, kernel, stride, head, stages))
        return found
