"""`SupernetEstimator`: estimates the accuracy of networks on chips from shared weights; needs no measured table."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from ohmnas.analog.drift import TIMES, read_over_time
from ohmnas.analog.images import ImageSet
from ohmnas.analog.memory import keep_freed
from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.oneshot.supernet import Supernet
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import DEFAULTS, Target

CHIPS: Final = 5
"""Default number of programmed chips."""
IMAGES: Final = 400
"""Default number of validation images."""


class SupernetEstimator(Estimator):
    """Measures each network on a few chips with its part of the shared weights, without training it.

    The accuracies come from few chips and few images. They rank networks, but they are lower than the accuracies of
    trained networks, and the spread over chips is only a rough estimate.
    """

    def __init__(self, supernet: Supernet, chips: int = CHIPS, images: int = IMAGES, seed: int = 0) -> None:
        """Choose the effort of a reading.

        Args:
            supernet: trained shared weights.
            chips: programmed chips of each network, at least 2.
            images: number of validation images; all of them if there are fewer.
            seed: seed of all random numbers in a reading, together with the task and the genome.

        Raises:
            InvalidValueError: there are fewer than two chips or no images.
        """
        if chips < 2 or images < 1:
            raise InvalidValueError(f"a reading needs at least 2 chips and 1 image, not {chips} and {images}")
        torch.set_num_threads(1)
        keep_freed()
        self.supernet, self._chips, self._seed = supernet, chips, seed
        data = supernet.plan.protocol.data()
        split = data.validation.first(images)
        self._images = ImageSet(split.images, data.mean, data.std)
        self._labels = torch.from_numpy(split.labels)
        self._known: dict[bytes, npt.NDArray[np.float64]] = {}

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of AnalogNAS."""
        return DEFAULTS

    @property
    def space(self) -> Space:
        """Space of the supernet."""
        return self.supernet.plan.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Task, chip, and training of the supernet; chips and images of a reading."""
        plan, trained = self.supernet.plan, self.supernet.provenance
        return {
            "task": plan.task.name,
            "hardware": plan.chip.name,
            "chip": {"technology": plan.chip.technology, **plan.chip.settings()},
            "supernet_sha256": self.supernet.checksum,
            "rule": plan.rule,
            "steps": int(trained.get("steps", 0)),
            "chips_read": self._chips,
            "images_read": len(self._labels),
            "seed": self._seed,
        }

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        """See `Estimator`: networks that share the supernet's weights."""
        return self.supernet.plan.contains(population)

    def estimate(self, population: Population) -> Estimate:
        """Read ``(n, g)`` networks; each is read once.

        Raises:
            InvalidValueError: a network does not share the supernet's weights.
        """
        self.supernet.plan.check(population)
        values = np.empty((len(population), len(self.targets)))
        for row, genome in enumerate(np.ascontiguousarray(population, dtype=np.int16)):
            key = genome.tobytes()
            if key not in self._known:
                self._known[key] = self._read(genome)
            values[row] = self._known[key]
        return Estimate(self.targets, values)

    def _read(self, genome: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """``(3,)``: `targets` of one network."""
        entropy = [self._seed, zlib.crc32(self.supernet.plan.task.name.encode()), *genome.tolist()]
        noise_seed, chip_seed = (int(number) for number in np.random.SeedSequence(entropy).generate_state(2))
        network = self.supernet.network(genome, noise_seed)
        chip = self.supernet.plan.chip
        calibration = self.supernet.images()
        found = read_over_time(
            network, chip, self._images, self._labels, self._chips, chip_seed, calibration
        ).accuracies
        day = found[:, list(TIMES).index("1d")]
        finest = 1.0 / (len(self._labels) * np.sqrt(self._chips))  # one image on one chip
        return np.array([day.mean(), max(day.std(ddof=1), finest), (found[:, 0] - found[:, -1]).mean()])
