"""`PathEstimator`: measures a part of a search network on simulated chips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import DEFAULTS

if TYPE_CHECKING:
    from torch import nn

    from ohmnas.datasets.campaign.protocol import Protocol
    from ohmnas.hardware import Hardware


class PathEstimator(Estimator):
    """Trains the path of an architecture in a search network a little longer, then measures it on programmed chips.

    The search network is smaller than the networks of the space, so its accuracies differ from the results of
    `ohmnas verify`.
    """

    def __init__(self, protocol: Protocol, chip: Hardware, epochs: int, seed: int) -> None:
        """Store the settings.

        Args:
            protocol: task, images, recipe, and number of chips.
            chip: chip of the search network.
            epochs: epochs of further training; 0 keeps the weights, and only calibrates input ranges and batch norms.
            seed: random seed.
        """
        self._protocol, self._chip, self._epochs, self._seed = protocol, chip, epochs, seed
        self.path: nn.Module | None = None
        """The part of the search network that belongs to the next architecture; set by the search."""

    @property
    def space(self) -> Space:
        """Space of the task."""
        return self._protocol.task.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Task, chip and kind of the estimator."""
        return {
            "task": self._protocol.task.name,
            "hardware": self._chip.name,
            "chip": {**self._chip.settings(), "technology": self._chip.technology},
            "estimator": "search network",
        }

    def estimate(self, population: Population) -> Estimate:
        """Train or calibrate the path of one architecture, then measure it. This changes `path`.

        Raises:
            InvalidValueError: there is no path, or there are several architectures.
        """
        if self.path is None or len(population) != 1:
            raise InvalidValueError(
                "an estimate needs exactly one architecture, and `path` must be set to its part of the search network"
            )
        import torch

        from ohmnas.analog.calibration import calibrate
        from ohmnas.analog.drift import TIMES, read_over_time
        from ohmnas.analog.images import ImageSet
        from ohmnas.analog.train import train

        data = self._protocol.data()
        sets = [ImageSet(split.images, data.mean, data.std) for split in (data.train, data.validation)]
        labels = [torch.from_numpy(split.labels) for split in (data.train, data.validation)]
        if self._epochs:
            recipe = replace(self._protocol.training_recipe(self._chip), epochs=self._epochs, noise_from=0.0)
            train(self.path, sets[0], labels[0], replace(recipe, noise_full=1e-6), self._seed)
        else:
            calibrate(self.path, sets[0], batch_norm=True)
        chips = self._protocol.fidelity.chips
        found = read_over_time(self.path, self._chip, sets[1], labels[1], chips, self._seed, sets[0]).accuracies
        day = found[:, list(TIMES).index("1d")]
        values = (day.mean(), day.std(ddof=1), (found[:, 0] - found[:, -1]).mean())
        return Estimate(DEFAULTS, np.array([values]))
