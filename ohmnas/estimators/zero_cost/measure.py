"""`Proxy`: a measure of architectures without training, and `OfNetwork`: a proxy that is measured per network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import Target

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ohmnas.estimators.zero_cost.networks import Networks

Values = npt.NDArray[np.float64]
LOWEST = -1e12
"""Value for a network without a defined measure, such as a network that passes no signal."""
HIGHEST = 1e12


def proxy_target(name: str, title: str) -> Target:
    """Return the target of a proxy: larger values stand for higher accuracy."""
    return Target(name, title, True, LOWEST, HIGHEST)


class Proxy(ABC):
    """A number for each architecture, from its genes or from the untrained network."""

    target: ClassVar[Target]
    """Name and title of the number."""
    compares: ClassVar[bool] = False
    """True if a value depends on the other architectures in the call, because it is a rank."""

    @abstractmethod
    def measure(self, space: Space, population: Population, networks: Networks) -> Values:
        """``(n,)``: one number for each row.

        Args:
            space: search space.
            population: ``(n, g)``.
            networks: builds the networks of the rows.
        """


class OfNetwork(Proxy):
    """A proxy that is measured on one network after another."""

    draws_weights: ClassVar[bool] = False
    """True if `prepare` draws its own weights."""

    def prepare(self, network: nn.Module) -> None:
        """Draw new weights in place, before a chip is programmed with them."""

    @abstractmethod
    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """Return the value of one network; NaN or infinite if it is undefined. May change the network.

        Args:
            network: network in training mode; on a chip, in evaluation mode with the batch norm statistics of the exact
                network.
            images: ``(b, channels, height, width)``.
            labels: ``(b,)``.
        """

    def measure(self, space: Space, population: Population, networks: Networks) -> Values:  # noqa: ARG002 - a Proxy
        """``(n,)``: see `Proxy`."""
        values = np.empty(len(population))
        for row, genome in enumerate(population):
            with networks.of(genome, self.prepare if self.draws_weights else None) as (network, images, labels):
                values[row] = self.score(network, images, labels)
        return bounded(values)


def bounded(values: Values) -> Values:
    """Values clipped to `LOWEST` and `HIGHEST`; undefined values become `LOWEST`."""
    return np.clip(np.where(np.isnan(values), LOWEST, values), LOWEST, HIGHEST)
