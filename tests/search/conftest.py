"""A predictor that is a formula: fast, exact, and it remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import PredictionLike
from ohmnas.spaces import genes
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.crossbar import crossbar_costs
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.memory import peak_memory
from ohmnas.spaces.resnet import ResNetSpace

SPACE = ResNetSpace((1, 8, 8), 10)
CHIP = Hardware().settings()
FEW = Bounds.of({"M": (1, 1), "KS0": (3, 3), "OC0": (8, 14), "R": (1, 2), "B": (1, 2), "WF": (1, 1)})
"""So few architectures that a grid has an end: 7 x 2 x 2 x 2 x 2."""
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


@dataclass
class OfChip(Formula):
    """A formula that says what chip it is of, as a surrogate does."""

    hardware_: Mapping[str, float] = field(default_factory=lambda: CHIP)


@dataclass
class Sure(OfChip):
    """Labels lie within a hundredth of what the formula says."""

    def quantile(self, predicted: PredictionLike, probability: float) -> Predicted:
        shift = 0.01 * (2 * probability - 1)
        return Predicted(predicted.accuracy_1d + shift, predicted.accuracy_1d_std, predicted.avm + shift)


def problem(max_params: float = 50_000, max_avm: float = 0.02, avm_offset: float = 0.0) -> tuple[Problem, Formula]:
    """A problem on the digits space and its predictor."""
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
    shape, classes = SPACE.input_shape, SPACE.classes
    if name == "memory":
        return peak_memory(population, shape, classes).astype(np.float64)
    if name in {"tiles", "cells", "energy", "latency"}:
        return np.asarray(getattr(crossbar_costs(population, shape, classes, CHIP), name), dtype=np.float64)
    return np.asarray(getattr(SPACE.layer_table(population), name)(), dtype=np.float64)


def judged(objective: npt.ArrayLike, shortfall: npt.ArrayLike = 0.0, losses: npt.ArrayLike | None = None) -> Evaluation:
    """An evaluation of which only this matters."""
    values = np.asarray(objective, dtype=np.float64)
    short = np.broadcast_to(np.asarray(shortfall, dtype=np.float64), values.shape).copy()
    front = np.empty((len(values), 0)) if losses is None else np.asarray(losses, dtype=np.float64)
    zeros = np.zeros(len(values))
    return Evaluation(values, short, zeros, zeros, zeros, front)
