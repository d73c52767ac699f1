"""Estimators for strategies that learn what choices are worth."""

from __future__ import annotations

import numpy as np

from ohmnas.estimate import Estimate
from ohmnas.search import Limits, Problem
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from tests.search.conftest import SPACE, Formula, predicted


class Decides(Formula):
    """One gene decides, the more the better; all else is worth nothing."""

    def __init__(self, gene: int) -> None:
        super().__init__()
        self.gene = gene

    def estimate(self, population: Population) -> Estimate:
        accuracy = 0.2 + 0.1 * population[:, self.gene].astype(np.float64)
        return predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


class Fifteen(Formula):
    """Three choices in each of five blocks count alike: few samples have most of them right."""

    def estimate(self, population: Population) -> Estimate:
        blocks = genes.block_view(population)
        right = blocks[..., [genes.SKIP, genes.CT, genes.WF]] == (1, 2, 4)
        accuracy = 0.1 + 0.05 * right.sum(axis=(1, 2))
        return predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


def fifteen() -> Problem:
    """A problem without limits."""
    return Problem(SPACE, Fifteen(), Limits())
