"""A stranger's package: a strategy, an objective, an estimator, a technology and a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from ohmnas import Estimate, Estimator, Problem, Space, Target, Task
from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.hardware import Technology
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.objective import Losses, Values
from ohmnas.search.quantities import Quantities
from ohmnas.spaces.genes import Population

RATES: Mapping[str, float] = {"depth": 0.8, "width": 0.8, "other": 0.6}


@dataclass(eq=False)
class Wandering:
    """Mutates some of the architectures that it was told of last, and samples the others."""

    problem: Problem
    share: float = 0.5
    """Share of mutants."""
    _last: Population | None = field(default=None, repr=False)
    allows_oversampling: ClassVar[bool] = True

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        if self._last is None:
            return self.problem.sample(n, rng)
        rows = rng.integers(len(self._last), size=round(self.share * n))
        mutants = self.problem.mutate(self._last[rows], rng, RATES)
        return np.concatenate([mutants, self.problem.sample(n - len(mutants), rng)])

    def tell(self, population: Population, evaluation: Evaluation) -> None:  # noqa: ARG002 - a Strategy
        self._last = population


@dataclass(frozen=True)
class PerParameter:
    """Accuracy for each doubling of the parameters."""

    name: str = "accuracy per log2 of the parameters"
    needs: tuple[str, ...] = ("accuracy_1d", "params")

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - an Objective
        values: Values = of["accuracy_1d"] / np.log2(of["params"])
        return values


class Slimness(Estimator):
    """Few multiply-accumulates for each parameter."""

    target = Target("slimness", "parameters per MAC", True, 0.0, 1e9)

    def __init__(self, space: Space) -> None:
        self._space = space

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.target,)

    @property
    def space(self) -> Space:
        return self._space

    def estimate(self, population: Population) -> Estimate:
        params, macs = self._space.params_and_macs(population)
        return Estimate(self.targets, (params / macs)[:, None])


def slimness(task: Task, seed: int) -> Slimness:
    """Make the estimator for the networks of a task; it draws nothing."""
    del seed
    return Slimness(task.space)


TECHNOLOGY = Technology(
    "toy-cells",
    "tests.plugins.toy_noise:ToyNoiseModel",
    spread_1d=0.0508,
    spread_1mo=0.0629,
    settings={"g_max": 40.0, "tile_rows": 128, "tile_columns": 128},
)


def _split(n: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % 2
    images = rng.integers(0, 120, size=(n, 1, 8, 8)).astype(np.uint8)
    images[labels == 1, :, :, :4] += 60
    images[labels == 0, :, :, 4:] += 60
    return Split(images, labels)


def load_halves(data_dir: Path | None) -> TaskData:
    """Noise that is brighter on one side."""
    return task_data(_split(256, 0), _split(100, 1), _split(100, 2))


TASK = Task("halves", (1, 8, 8), 2, 500, 20_000, 400_000, load_halves)
