"""`Inherited`: trains networks for a fraction of the epochs, from the weights of a smaller trained network."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.measure import measure_accuracies, train_network
from ohmnas.datasets.campaign.protocol import Protocol, require_training, seeds_of
from ohmnas.errors import DivergedError, InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.estimators.inherit.growth import growth_fault
from ohmnas.estimators.training import worst
from ohmnas.hardware import Hardware
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.targets import DEFAULTS, Target

if TYPE_CHECKING:
    from torch import nn

    from ohmnas.analog.recipe import Recipe
    from ohmnas.datasets.tasks.task import Task

SHARE: Final = 0.25
"""Share of the epochs of a full training run."""
RATE: Final = 0.25
"""Peak learning rate with inherited weights, as a share of the rate from scratch. A larger rate would erase the
inherited weights."""
NOISE: Final = 0.01
"""Noise that separates copied channels, relative to the weights of a layer."""
BATCH: Final = 256
"""Number of images for the statistics of new batch norms."""
PARENT: Final = "resnet8-w8"
"""Reference network whose weights are inherited if no parents are given."""


class Inherited(Estimator):
    """Trains each network from the weights of the largest parent that can grow into it.

    Parents are trained in full when they are first needed. A network into which no parent can grow, or whose parent
    failed to train, is trained from scratch for the same share of the epochs.
    """

    def __init__(
        self,
        task: Task,
        parents: Population,
        seed: int = 0,
        share: float = SHARE,
        base: Fidelity | None = None,
        chip: Hardware | None = None,
        rate: float = RATE,
    ) -> None:
        """Store the settings; nothing is trained yet.

        Args:
            task: the task, with ResNet-like networks.
            parents: ``(p, g)``: networks to inherit from.
            seed: seed of training runs and chips.
            share: share of the epochs of a full training run, above 0 and at most 1.
            base: effort of a full training run; None is the task's fidelity ``table``.
            chip: the chip; None is the ``pcm`` preset.
            rate: peak learning rate with inherited weights, as a share of the rate from scratch.

        Raises:
            InvalidValueError: the task's space is not resnet, the share is out of range, or a parent is not a canonical
                genome of the space.
            MissingDependencyError: torch, aihwkit or Numba is not installed.
        """
        if not isinstance(task.space, ResNetSpace):
            raise InvalidValueError(f"weight inheritance needs the resnet space, not {task.space.name}")
        if not 0.0 < share <= 1.0:
            raise InvalidValueError(f"the share of the epochs must be above 0 and at most 1, not {share:g}")
        require_training()
        full = base or fidelity("table", task.name)
        few = replace(full, name="inherited", epochs=max(round(share * full.epochs), 1))
        self._full, self._few = Protocol(task, full), Protocol(task, few)
        self._space, self._seed, self._rate = task.space, seed, rate
        self._chip = Hardware() if chip is None else chip
        parents = self._space.check(parents)
        self._parents = parents[np.argsort(-self._space.params(parents), kind="stable")]
        self._trained: dict[bytes, nn.Sequential | None] = {}
        self._known: dict[bytes, list[float]] = {}
        self.seconds = 0.0
        """Processor seconds spent so far, excluding the parents."""
        self.parent_seconds = 0.0
        """Processor seconds spent on parents."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """1-day accuracy, its standard deviation over chips, accuracy variation over one month."""
        return DEFAULTS

    @property
    def space(self) -> ResNetSpace:
        """Space of the task."""
        return self._space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Task, chip, fidelity, epochs, number of parents, seed."""
        return {
            "task": self._few.task.name,
            "hardware": self._chip.name,
            "fidelity": self._few.fidelity.name,
            "epochs": self._few.fidelity.epochs,
            "parents": len(self._parents),
            "seed": self._seed,
        }

    def parent_of(self, genome: Population) -> Population | None:
        """Return the largest parent that can grow into a network, ``(g,)``; None if there is none."""
        height, width = self._space.input_shape[1:]
        (child,) = self._space.decode(genome[None])
        for parent, architecture in zip(self._parents, self._space.decode(self._parents), strict=True):
            if not growth_fault(architecture, child, (height, width)):
                return cast("Population", parent)
        return None

    def estimate(self, population: Population) -> Estimate:
        """Train ``(n, g)`` architectures one after another. If training fails, each target has its worst value."""
        values = np.array([self._of(genome) for genome in population]).reshape(-1, len(self.targets))
        return Estimate(self.targets, values)

    def _of(self, genome: Population) -> list[float]:
        key = genome.tobytes()
        if key not in self._known:
            parent = self.parent_of(genome)
            network = None if parent is None else self._parent(parent)
            start = time.process_time()
            try:
                self._known[key] = self._measured(genome, parent, network)
            except DivergedError:
                self._known[key] = [worst(one) for one in self.targets]
            self.seconds += time.process_time() - start
        return self._known[key]

    def _parent(self, genome: Population) -> nn.Sequential | None:
        """Return the trained network of a parent, in torch's own layers; None if its training failed."""
        from ohmnas.analog.convert import to_digital

        key, start = genome.tobytes(), time.process_time()
        if key not in self._trained:
            try:
                network, _ = train_network(self._full, genome, self._chip, self._seed)
                self._trained[key] = cast("nn.Sequential", to_digital(network))
            except DivergedError:
                self._trained[key] = None
            self.parent_seconds += time.process_time() - start
        return self._trained[key]

    def _measured(self, genome: Population, parent: Population | None, network: nn.Sequential | None) -> list[float]:
        protocol, start = self._few, None
        train_seed, chip_seed = seeds_of(protocol.task, genome.tolist(), self._seed)
        if parent is not None and network is not None:
            protocol = replace(protocol, recipe=self._recipe())
            start = self._grown(genome, parent, network, train_seed)
        trained, _ = train_network(protocol, genome, self._chip, self._seed, start=start)
        values = measure_accuracies(protocol, trained, protocol.data().validation, self._chip, chip_seed)
        return [values[one.name] for one in self.targets]

    def _recipe(self) -> Recipe:
        """Recipe of a training run that inherits: a smaller learning rate, and noise from the start."""
        from ohmnas.analog.recipe import Recipe

        plain = Recipe(label_smoothing=self._few.task.label_smoothing)
        return replace(plain, learning_rate=self._rate * plain.learning_rate, noise_from=-1.0, noise_full=0.0)

    def _grown(self, genome: Population, parent: Population, network: nn.Sequential, seed: int) -> nn.Sequential:
        """Network of a genome with the weights of a parent."""
        import torch

        from ohmnas.estimators.inherit.net2net import inherit

        before, after = self._space.decode(np.stack([parent, genome]))
        data, rng = self._few.data(), np.random.default_rng(seed)
        some = rng.permutation(len(data.train.labels))[:BATCH]
        pixels = data.train.images[some].astype(np.float64)
        images = torch.from_numpy((pixels - data.mean[:, None, None]) / data.std[:, None, None]).float()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return inherit(network, before, after, self._space, images, rng, NOISE)


def inherited(task: Task, seed: int = 0) -> Inherited:
    """Return the estimator that trains networks of a task from the weights of `PARENT`."""
    space = task.space
    return Inherited(task, space.encode([space.references[PARENT]] if PARENT in space.references else []), seed)
