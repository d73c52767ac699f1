"""A refinement without training: measurements by a formula, and a surrogate that is a straight line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.fidelity import SMOKE
from ohmnas.datasets.campaign.limits import RowLimits
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tables.schema import Row
from ohmnas.estimate import Estimate
from ohmnas.hardware import Hardware
from ohmnas.search import Budget, Estimator, Limits, Problem
from ohmnas.search.objectives import objective
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULTS
from tests.datasets.conftest import DIGITS, made_row

SMALL = Budget(population=20, iterations=3)
PLAN = 24


@dataclass
class Line(Estimator):
    """Least squares on the genes."""

    data: TrainingSet

    def __post_init__(self) -> None:
        labels = self.data.matrix()
        self._mean = labels.mean(axis=0)
        inputs = self.data.population.astype(np.float64)
        self._centre = inputs.mean(axis=0)
        ridge = (inputs - self._centre).T @ (inputs - self._centre) + 10.0 * np.eye(inputs.shape[1])
        self._slopes = np.linalg.solve(ridge, (inputs - self._centre).T @ (labels - self._mean))

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.data.provenance

    def estimate(self, population: Population) -> Estimate:
        values = self._mean + (population - self._centre) @ self._slopes
        return Estimate(DEFAULTS, np.clip(values, [0.0, 1e-3, -1.0], 1.0))


def line(limits: Limits) -> Callable[[TrainingSet], Problem]:
    return lambda data: Problem(data.space, Line(data), limits, objective("accuracy"))


def true_accuracy(genome: Population) -> float:
    """Wide stems, few blocks and residual connections are accurate."""
    return float(0.5 + 0.004 * genome[0] - 0.02 * genome[2] + 0.02 * genome[7])


def formula(protocol: Protocol, genome: Population, chips: Sequence[Hardware], seed: int, *_: RowLimits) -> list[Row]:
    """Takes the place of `measure`: the same row for the same network and seed."""
    rng = np.random.default_rng([seed, *genome.tolist()])
    row = made_row(genome, chips[0], seed, rng, space=protocol.task.space)
    accuracy = float(np.clip(true_accuracy(genome) + rng.normal(0.0, 0.01), 0.0, 1.0))
    row |= {"accuracy_1d": accuracy, "accuracy_1d_std": 0.01, "accuracy_1s": accuracy, "accuracy_1mo": accuracy - 0.02}
    return [row | {"avm": 0.02}]


@pytest.fixture
def measured_by_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", formula)


def campaign(n: int = PLAN) -> Campaign:
    return Campaign(Protocol(DIGITS, SMOKE), plan(DIGITS, n), (Hardware(),), seed=0)
