"""An estimator for tests: a formula that is fast, exact and the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes

SPACE: Final = ResNetSpace((1, 8, 8), 10)
NARROW: Final = Bounds.of(
    SPACE.genes, {"M": (1, 3), "R": (1, 2), "B": (1, 2), "WF": (1, 2), "OC0": (8, 10), "KS0": (3, 5), "skip2": (1, 1)}
)
"""Bounds with about 100,000 architectures."""
EIGHT: Final = Bounds.of(
    SPACE.genes, {"M": (1, 1), "R": (1, 1), "B": (1, 2), "OC0": (8, 9), "KS0": (3, 3), "CT": (1, 1), "WF": (2, 2)}
)
"""Bounds with eight architectures."""


@dataclass
class Formula(Estimator):
    """Width, branches and skips raise the accuracy; depth lowers it, and raises the standard deviation and the AVM."""

    avm_offset: float = 0.0
    """Added to every AVM: 0.8 makes every architecture infeasible under a limit on the AVM."""
    asked: list[Population] = field(default_factory=list)
    """All populations that were estimated, in order."""

    def estimate(self, population: Population) -> Estimate:
        """Estimate ``(n, g)`` architectures."""
        self.asked.append(population.copy())
        blocks = genes.block_view(population).astype(np.float64)
        depth, skips, branches = (blocks[..., gene].sum(axis=1) for gene in (genes.R, genes.SKIP, genes.B))
        width = population[:, genes.OC0] / 128
        accuracy = 0.5 + 0.2 * width + 0.02 * skips + 0.1 * np.tanh(branches / 10) - 0.001 * depth
        std = 0.01 + 0.001 * depth + 0.01 * (population[:, genes.KS0] == 5)
        avm = 0.002 * depth - 0.005 * skips + 0.02 + self.avm_offset
        return Estimate.of(accuracy_1d=accuracy, accuracy_1d_std=std, avm=avm)
