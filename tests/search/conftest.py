"""An estimator that is a formula: fast, exact, and it remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.estimate import Estimate
from ohmnas.hardware import Hardware
from ohmnas.search.estimator import Estimator
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.targets import DEFAULTS, TARGETS, Target

SPACE = ResNetSpace((1, 8, 8), 10)
CHIP = Hardware().settings()
FEW = Bounds.of(SPACE.genes, {"M": (1, 1), "KS0": (3, 3), "OC0": (8, 14), "R": (1, 2), "B": (1, 2), "WF": (1, 1)})
"""So few architectures that a grid has an end: 7 x 2 x 2 x 2 x 2."""
Values = npt.NDArray[np.float64]


@dataclass
class Formula(Estimator):
    """Skips and width help, depth costs AVM; `asked` holds every population."""

    avm_offset: float = 0.0
    asked: list[Population] = field(default_factory=list)

    def estimate(self, population: Population) -> Estimate:
        self.asked.append(population.copy())
        blocks = genes.block_view(population).astype(np.float64)
        depth = blocks[..., genes.R].sum(axis=1)
        skips = blocks[..., genes.SKIP].sum(axis=1)
        branches = blocks[..., genes.B].sum(axis=1)
        width = population[:, genes.OC0] / 128
        accuracy = 0.5 + 0.2 * width + 0.02 * skips + 0.1 * np.tanh(branches / 10) - 0.001 * depth
        std = 0.01 + 0.001 * depth + 0.01 * (population[:, genes.KS0] == 5)
        return predicted(accuracy, std, 0.002 * depth - 0.005 * skips + 0.02 + self.avm_offset)


@dataclass
class Sure(Formula):
    """Labels lie within a hundredth of the formula."""

    @property
    def has_quantiles(self) -> bool:
        return True

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        return Estimate(estimate.targets, estimate.values + 0.01 * (2 * probability - 1) * np.array([1.0, 0.0, 1.0]))


def predicted(accuracy: npt.ArrayLike, std: npt.ArrayLike, avm: npt.ArrayLike) -> Estimate:
    """An estimate of the three usual targets."""
    return Estimate.of(accuracy_1d=accuracy, accuracy_1d_std=std, avm=avm)


def problem(max_params: float = 50_000, max_avm: float = 0.02, avm_offset: float = 0.0) -> tuple[Problem, Formula]:
    """A problem on the digits space and its estimator."""
    formula = Formula(avm_offset)
    return Problem(SPACE, formula, Limits(max_params, 2e6, max_avm, 1000)), formula


def some(n: int, seed: int = 0, max_params: float = 50_000) -> Population:
    """``(n, g)``: different architectures of all sizes up to a limit."""
    return _some(n, seed, max_params).copy()


@cache
def _some(n: int, seed: int, max_params: float) -> Population:
    return SPACE.sample(n, np.random.default_rng(seed), max_params=max_params)


def exact_cost(name: str, population: Population) -> Values:
    """``(n,)``: a cost, straight from the functions of `spaces`."""
    layers = SPACE.layers(population)
    if name == "memory":
        return layers.peak_memory().astype(np.float64)
    if name in {"tiles", "cells", "energy", "latency"}:
        return np.asarray(getattr(crossbar_costs(layers, CHIP), name), dtype=np.float64)
    return np.asarray(getattr(layers, name)(), dtype=np.float64)


def judged(objective: npt.ArrayLike, shortfall: npt.ArrayLike = 0.0, losses: npt.ArrayLike | None = None) -> Evaluation:
    """An evaluation of which only this matters."""
    values = np.asarray(objective, dtype=np.float64)
    short = np.broadcast_to(np.asarray(shortfall, dtype=np.float64), values.shape).copy()
    front = np.empty((len(values), 0)) if losses is None else np.asarray(losses, dtype=np.float64)
    zeros = np.zeros(len(values))
    return Evaluation(values, short, predicted(zeros, zeros, zeros), front)


class Monthly(Formula):
    """The formula, and beside it the accuracy after a month and the spread after an hour."""

    @property
    def targets(self) -> tuple[Target, ...]:
        return (*DEFAULTS, TARGETS["accuracy_1mo"], TARGETS["accuracy_1h_std"])

    def estimate(self, population: Population) -> Estimate:
        known = super().estimate(population)
        more = np.column_stack([known["accuracy_1d"] - known["avm"], 0.5 * known["accuracy_1d_std"]])
        return Estimate(self.targets, np.hstack([known.values, more]))
