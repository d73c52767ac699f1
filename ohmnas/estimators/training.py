"""`Trained`: trains each architecture and measures it on chips. The most expensive estimator."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.protocol import Protocol, require_training
from ohmnas.datasets.tables import schema
from ohmnas.estimate import Estimate
from ohmnas.hardware import Hardware
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import DEFAULTS, Target

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task

Change = Callable[[Population], Population]
"""Replaces the networks to train, row by row."""


class Trained(Estimator):
    """Trains and measures architectures as a campaign does. Each is trained once; later estimates reuse its values."""

    def __init__(
        self, protocol: Protocol, seed: int = 0, chip: Hardware | None = None, change: Change | None = None
    ) -> None:
        """Store the settings; nothing is trained yet.

        Args:
            protocol: task, fidelity, engine and device.
            seed: seed of training runs and chips.
            chip: the chip; None is the ``pcm`` preset.
            change: maps ``(n, g)`` architectures to the networks that are trained instead; None trains the
                architectures themselves.

        Raises:
            MissingDependencyError: torch, aihwkit or Numba is not installed.
        """
        require_training(protocol.device)
        self._protocol, self._seed, self._change = protocol, seed, change
        self._chip = Hardware() if chip is None else chip
        self._known: dict[bytes, list[float]] = {}
        self.seconds = 0.0
        """Processor seconds spent so far."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """1-day accuracy, its standard deviation over chips, accuracy variation over one month."""
        return DEFAULTS

    @property
    def space(self) -> Space:
        """Space of the task."""
        return self._protocol.task.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Task, chip, seed, and the settings of a training run."""
        effort = self._protocol.fidelity
        return {
            "task": self._protocol.task.name,
            "hardware": self._chip.name,
            "fidelity": effort.name,
            "epochs": effort.epochs,
            "train_images": effort.train_images,
            "resolution": effort.resolution,
            "seed": self._seed,
        }

    def estimate(self, population: Population) -> Estimate:
        """Train ``(n, g)`` architectures one after another. If training fails, each target has its worst value."""
        start = time.process_time()
        networks = population if self._change is None else self._change(population)
        values = np.array([self._of(genome) for genome in networks]).reshape(-1, len(self.targets))
        self.seconds += time.process_time() - start
        return Estimate(self.targets, values)

    def _of(self, genome: Population) -> list[float]:
        key = genome.tobytes()
        if key not in self._known:
            (row,) = measure(self._protocol, genome, (self._chip,), self._seed)
            failed = row["status"] == schema.STATUS_FAILED
            self._known[key] = [worst(one) if failed else float(str(row[one.name])) for one in self.targets]
        return self._known[key]


def worst(target: Target) -> float:
    """Return the worst possible value of a target, for failed training runs."""
    return target.low if target.larger_is_better else target.high


def training(task: Task, seed: int = 0) -> Trained:
    """Return the estimator that trains each network with the settings of the task's table."""
    return Trained(Protocol(task, fidelity("table", task.name)), seed)
