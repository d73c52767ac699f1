"""Handwritten digits (E. Alpaydin and C. Kaynak, 1998), which come with scikit-learn."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from ohmnas.datasets.tasks.data import Split, TaskData
from ohmnas.datasets.tasks.task import Task


@lru_cache(maxsize=1)
def load_digits(data_dir: Path | None = None) -> TaskData:
    """Load 1,797 images of 8 x 8 pixels in 17 grey levels.

    A fixed permutation splits them into 1,037 images for training, 400 for validation and 360 for testing.
    """
    from sklearn import datasets

    del data_dir
    digits = datasets.load_digits()
    images = digits.images[:, None].astype(np.uint8)
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(1797).permutation(len(images))
    train, validation, test = (Split(images[part], labels[part]) for part in np.split(order, [1037, 1437]))
    mean = train.images.mean(dtype=np.float64, keepdims=True)
    std = train.images.std(dtype=np.float64, keepdims=True)
    return TaskData(train, validation, test, mean.reshape(1), std.reshape(1))


DIGITS: Final = Task("digits", (1, 8, 8), 10, 1_000, 200_000, 2_000_000, load_digits)
"""Handwritten digits of 8 x 8 pixels, which come with scikit-learn."""
