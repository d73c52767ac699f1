"""`Networks`: builds untrained networks; a seed and the genome determine their weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ohmnas.estimators.zero_cost.batch import Batch
from ohmnas.spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ohmnas.estimators.zero_cost.on_chip import OnChip


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks of a space, and the batch that they are measured on."""

    space: Space
    batch: Batch
    seed: int = 0
    """Seed. With the genome, it determines all random numbers of a network."""
    chip: OnChip | None = None
    """Chip that the networks are programmed on; None computes exactly."""
    _last: dict[bytes, tuple[nn.Module, Tensor]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """The last network without `prepare`, and the state of the generator after it was built."""

    @contextmanager
    def of(
        self, genome: npt.NDArray[np.int16], prepare: Callable[[nn.Module], None] | None = None
    ) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
        """Yield the network of a genome, the images and the labels; torch's generator is seeded inside.

        Args:
            genome: ``(g,)``.
            prepare: changes the weights before a chip is programmed with them; None keeps the initial weights.
        """
        import torch

        network_space = self.space.networks
        row = genome[None, : len(network_space.gene_names)]
        (seed,) = np.random.SeedSequence([self.seed, *row[0].tolist()]).generate_state(1)
        images, labels = torch.from_numpy(self.batch.images), torch.from_numpy(self.batch.labels)
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            key = row.tobytes()
            if prepare is None and key in self._last:
                made, state = self._last[key]
                torch.random.set_rng_state(state)
                yield copy.deepcopy(made), images, labels
                return
            torch.manual_seed(int(seed))
            network = network_space.build(network_space.decode(row)[0]).train()
            if prepare is not None:
                prepare(network)
            if self.chip is not None:
                network = self.chip.program(network, images)
            if prepare is None:
                self._last.clear()
                self._last[key] = (copy.deepcopy(network), torch.random.get_rng_state())
            yield network, images, labels
