"""Tasks: labelled images with a fixed split into training, validation and test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ohmnas.lookup import look_up
from ohmnas.spaces.resnet import ResNetSpace

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a task's data."""

    images: Images
    """``(m, channels, height, width)``, normalised by the mean and std of the training images."""
    labels: Labels
    """``(m,)``, classes counted from 0."""


@dataclass(frozen=True, slots=True)
class TaskData:
    """The images of a task."""

    train: Split
    """What networks learn from."""
    validation: Split
    """What tables are measured on; carved from the training data."""
    test: Split
    """Touched only by `ohmnas verify`, so that no search ever tunes to it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is known of a task without loading it."""

    name: str
    """What tables and commands call it."""
    input_shape: tuple[int, int, int]
    """Channels, height, width."""
    classes: int
    """Number of classes."""
    min_params: int
    """Smallest networks that a campaign measures: below, nothing learns the task."""
    max_params: int
    """Largest networks that a campaign measures."""
    max_macs: int
    """Most MACs of a network that a campaign measures."""
    load: Callable[[], TaskData]
    """Loads the images."""

    @property
    def space(self) -> ResNetSpace:
        """The search space for this task's images."""
        return ResNetSpace(self.input_shape, self.classes)


def _normalised(train: Images, *others: Images) -> list[Images]:
    mean, std = train.mean(dtype=np.float64), train.std(dtype=np.float64)
    return [((images - mean) / std).astype(np.float32) for images in (train, *others)]


@lru_cache(maxsize=1)
def _load_digits() -> TaskData:
    """Scikit-learn's handwritten digits (E. Alpaydin and C. Kaynak, 1998): 1,797 images of 8x8 pixels, 17 grey levels.

    Split by a fixed permutation: 1,037 for training, 400 for validation, 360 for test.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images[:, None].astype(np.float32)
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(1797).permutation(len(images))
    parts = np.split(order, [1037, 1437])
    splits = [
        Split(x, labels[part]) for x, part in zip(_normalised(*(images[part] for part in parts)), parts, strict=True)
    ]
    return TaskData(*splits)


TASKS = {
    "digits": Task("digits", (1, 8, 8), 10, 1_000, 200_000, 2_000_000, _load_digits),
}
"""Name -> task."""


def task(name: str) -> Task:
    """The task of that name.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    return look_up("task", TASKS, name)
