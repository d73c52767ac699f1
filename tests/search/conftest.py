"""A predictor that is a formula: fast, exact, and it remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ohmnas.search.problem import Limits, Problem
from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

SPACE = ResNetSpace((1, 8, 8), 10)
Values = npt.NDArray[np.float64]


@dataclass
class Predicted:
    """What the formula says."""

    accuracy_1d: Values
    accuracy_1d_std: Values
    avm: Values


@dataclass
class Formula:
    """Skips and width help, depth costs AVM; `asked` holds every population."""

    avm_offset: float = 0.0
    asked: list[Population] = field(default_factory=list)

    def forecast(self, population: Population) -> Predicted:
        self.asked.append(population.copy())
        blocks = genes.block_view(population).astype(np.float64)
        depth = blocks[..., genes.R].sum(axis=1)
        skips = blocks[..., genes.SKIP].sum(axis=1)
        branches = blocks[..., genes.B].sum(axis=1)
        width = population[:, genes.OC0] / 128
        accuracy = 0.5 + 0.2 * width + 0.02 * skips + 0.1 * np.tanh(branches / 10) - 0.001 * depth
        std = 0.01 + 0.001 * depth + 0.01 * (population[:, genes.KS0] == 5)
        return Predicted(accuracy, std, 0.002 * depth - 0.005 * skips + 0.02 + self.avm_offset)


def problem(max_params: float = 50_000, max_avm: float = 0.02, avm_offset: float = 0.0) -> tuple[Problem, Formula]:
    """A problem on the digits space and its predictor."""
    formula = Formula(avm_offset)
    return Problem(SPACE, formula, Limits(max_params, 2e6, max_avm, 1000)), formula
