"""A predictor for strategies that learn what choices are worth."""

from __future__ import annotations

import numpy as np

from ohmnas.search import Limits, Problem
from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population
from tests.search.conftest import SPACE, Formula, Predicted


class Decides(Formula):
    """One gene decides, the more the better; all else is worth nothing."""

    def __init__(self, gene: int) -> None:
        super().__init__()
        self.gene = gene

    def forecast(self, population: Population) -> Predicted:
        accuracy = 0.2 + 0.1 * population[:, self.gene].astype(np.float64)
        return Predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


class Fifteen(Formula):
    """Three choices in each of five blocks count alike: few samples have most of them right."""

    def forecast(self, population: Population) -> Predicted:
        blocks = genes.block_view(population)
        right = blocks[..., [genes.SKIP, genes.CT, genes.WF]] == (1, 2, 4)
        accuracy = 0.1 + 0.05 * right.sum(axis=(1, 2))
        return Predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


def fifteen() -> Problem:
    """A problem without limits."""
    return Problem(SPACE, Fifteen(), Limits())
