"""`ZeroCost`: proxies as an estimator."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.estimators.zero_cost.batch import BATCH, Batch
from ohmnas.estimators.zero_cost.catalogue import PROXIES
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.lookup import look_up
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import Target

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task
    from ohmnas.estimators.zero_cost.on_chip import OnChip


class ZeroCost(Estimator):
    """Measures one or more proxies for each architecture. Its targets are the proxies, not accuracies."""

    def __init__(
        self, space: Space, names: Sequence[str], batch: Batch, seed: int = 0, chip: OnChip | None = None
    ) -> None:
        """Choose proxies.

        Args:
            space: search space.
            names: one or more of `PROXIES`.
            batch: images for all proxies.
            seed: seed of weights and random inputs.
            chip: chip that each network is programmed on first; None measures exact networks.

        Raises:
            UnknownNameError: a name is unknown.
            InvalidValueError: there is no name, a name is repeated, the images do not have the shape of the space, or a
                proxy needs a chip.
        """
        if not names:
            raise InvalidValueError(f"choose at least one proxy: {', '.join(PROXIES)}")
        if len(set(names)) < len(names):
            raise InvalidValueError(f"each proxy can be chosen only once, not {', '.join(names)}")
        if batch.images.shape[1:] != space.input_shape:
            raise InvalidValueError(
                f"the images of the batch have the shape {batch.images.shape[1:]}, not {space.input_shape}"
            )
        without_chip = [name for name in names if chip is None and look_up("proxy", PROXIES, name).needs_chip]
        if without_chip:
            raise InvalidValueError(f"the proxy {without_chip[0]} needs a chip")
        self._proxies = tuple(look_up("proxy", PROXIES, name).load() for name in names)
        self._networks = Networks(space, batch, seed, chip)
        self.seconds: dict[str, float] = dict.fromkeys(names, 0.0)
        """Proxy -> processor seconds spent so far."""

    @classmethod
    def of(cls, task: Task, names: Sequence[str], seed: int = 0, size: int = BATCH) -> ZeroCost:
        """Return proxies on a batch of a task's training images."""
        return cls(task.space, names, Batch.of(task, size, seed), seed)

    @property
    def targets(self) -> tuple[Target, ...]:
        """One target for each proxy, in the order of the names."""
        return tuple(proxy.target for proxy in self._proxies)

    @property
    def space(self) -> Space:
        """Space of the networks."""
        return self._networks.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Names of the proxies, number of images, seed."""
        names = [proxy.target.name for proxy in self._proxies]
        return {"proxies": names, "images": len(self._networks.batch.labels), "seed": self._networks.seed}

    def estimate(self, population: Population) -> Estimate:
        """Measure ``(n, g)`` architectures, one proxy after another; some need no pass through a network."""
        values = np.empty((len(population), len(self._proxies)))
        for column, (name, proxy) in enumerate(zip(self.seconds, self._proxies, strict=True)):
            start = time.process_time()
            values[:, column] = proxy.measure(self.space, population, self._networks)
            self.seconds[name] += time.process_time() - start
        return Estimate(self.targets, values)
