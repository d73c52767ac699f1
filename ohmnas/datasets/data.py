"""The data of a task in memory: small, as the files have it, normalised only where it is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a task's data."""

    images: npt.NDArray[np.generic]
    """``(m, channels, height, width)`` uint8, float16 or float32, not normalised; perhaps a memory-mapped file."""
    labels: Labels
    """``(m,)``, classes counted from 0."""

    def first(self, count: int | None) -> Split:
        """The first so many images; None is all."""
        return Split(self.images[:count], self.labels[:count])

    def joined(self, other: Split) -> Split:
        """The images of both."""
        return Split(np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels]))

    def shrunk(self, side: int | None) -> Split:
        """Images with blocks of pixels averaged until no side is longer than `side`; None leaves them as they are."""
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
    """What networks learn from, in no order."""
    validation: Split
    """What tables are measured on; carved from the training data."""
    test: Split
    """Touched only by `ohmnas verify`, so that no search ever tunes to it; in no order."""
    mean: npt.NDArray[np.float64]
    """``(channels,)``: of all pixels of the training images; networks see (image - mean) / std."""
    std: npt.NDArray[np.float64]
    """``(channels,)``: likewise; 1 of a channel that is constant."""


CONSTANT = 1e-6
"""A channel whose standard deviation is smaller than this share of its mean is constant but for rounding."""


def task_data(train: Split, validation: Split, test: Split) -> TaskData:
    """The three splits with the mean and standard deviation of the first.

    A constant channel, such as an opaque alpha channel, becomes 0 when it is normalised: its standard deviation is 1.
    """
    pixels = train.images
    mean = pixels.mean(axis=(0, 2, 3), dtype=np.float64)
    squares = np.stack([np.square(pixels[:, c].astype(np.float32) - mean[c]).mean() for c in range(pixels.shape[1])])
    std = np.sqrt(squares)
    return TaskData(train, validation, test, mean, np.where(std > CONSTANT * np.abs(mean), std, 1.0))
