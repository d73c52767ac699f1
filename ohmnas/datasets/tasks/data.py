"""Images and labels of a task, in the compact types of its files. Images are normalised when they are used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a task's data."""

    images: npt.NDArray[np.generic]
    """``(m, channels, height, width)`` uint8, float16 or float32, not normalised; may be a memory-mapped file."""
    labels: Labels
    """``(m,)``: classes, counted from 0."""

    def first(self, count: int | None) -> Split:
        """Return the first `count` images; None returns all."""
        return Split(self.images[:count], self.labels[:count])

    def joined(self, other: Split) -> Split:
        """Return the images of both splits."""
        return Split(np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels]))

    def shrunk(self, side: int | None) -> Split:
        """Average blocks of ``ceil(height / side)`` x ``ceil(width / side)`` pixels; None keeps the images unchanged.

        No side of the result is longer than `side`. Incomplete blocks at the bottom and the right are dropped.
        """
        height, width = self.images.shape[2:]
        down, right = (1 if side is None else -(-length // side) for length in (height, width))
        if down == right == 1:
            return self
        height, width = height // down * down, width // right * right
        cut = self.images[:, :, :height, :width]
        blocks = cut.reshape(*cut.shape[:2], height // down, down, width // right, right)
        small = blocks.mean(axis=(3, 5), dtype=np.float32)
        return Split(small.round().astype(np.uint8) if cut.dtype == np.uint8 else small.astype(cut.dtype), self.labels)


@dataclass(frozen=True, slots=True)
class TaskData:
    """The images of a task."""

    train: Split
    """Training images, in random order."""
    validation: Split
    """Images for the accuracies in tables, taken from the official training data."""
    test: Split
    """Official test images, used only by `ohmnas verify` and `ohmnas train`, never for search; in random order."""
    mean: npt.NDArray[np.float64]
    """``(channels,)``: mean of all training pixels; the input of networks is (image - mean) / std."""
    std: npt.NDArray[np.float64]
    """``(channels,)``: standard deviation of all training pixels; 1 for a constant channel."""


CONSTANT = 1e-6
"""A channel with a standard deviation below this share of its mean counts as constant."""


def task_data(train: Split, validation: Split, test: Split) -> TaskData:
    """Combine three splits, and compute the mean and standard deviation of the training images.

    A constant channel, such as an opaque alpha channel, gets the standard deviation 1, so it is 0 when normalised.
    """
    pixels = train.images
    mean = pixels.mean(axis=(0, 2, 3), dtype=np.float64)
    squares = np.stack([np.square(pixels[:, c].astype(np.float32) - mean[c]).mean() for c in range(pixels.shape[1])])
    std = np.sqrt(squares)
    return TaskData(train, validation, test, mean, np.where(std > CONSTANT * np.abs(mean), std, 1.0))
