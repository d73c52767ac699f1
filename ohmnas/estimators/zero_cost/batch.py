"""`Batch`: the images that proxies are measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task
    from ohmnas.spaces.space import Space

BATCH = 64
"""Default number of images."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Images and their classes."""

    images: npt.NDArray[np.float32]
    """``(b, channels, height, width)``, normalised."""
    labels: npt.NDArray[np.int64]
    """``(b,)``, classes counted from 0."""

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            InvalidValueError: there are fewer than two images, they are not 4-dimensional, or the labels do not match.
        """
        if self.images.ndim != 4 or len(self.images) < 2 or self.labels.shape != self.images.shape[:1]:
            raise InvalidValueError(
                "a batch needs at least two images of shape (b, channels, height, width) and one label for each, but "
                f"the shapes are {self.images.shape} and {self.labels.shape}"
            )

    @classmethod
    def of(cls, task: Task, size: int = BATCH, seed: int = 0) -> Batch:
        """Draw training images of a task at random, normalised as in training.

        Args:
            task: the task.
            size: number of images; all of them if the task has fewer.
            seed: seed of the draw.
        """
        data = task.load()
        labels = data.train.labels
        chosen = np.sort(np.random.default_rng(seed).permutation(len(labels))[:size])
        pixels = data.train.images[chosen].astype(np.float64)
        images = (pixels - data.mean[:, None, None]) / data.std[:, None, None]
        return cls(images.astype(np.float32), labels[chosen])

    @classmethod
    def of_noise(cls, space: Space, size: int = BATCH, seed: int = 0) -> Batch:
        """Draw standard normal pixels and uniformly distributed classes, for a space without known images."""
        rng = np.random.default_rng(seed)
        images = rng.standard_normal((size, *space.input_shape), dtype=np.float32)
        return cls(images, rng.integers(space.classes, size=size))
