from __future__ import annotations

import numpy as np

from ohmnas.datasets.tasks.loaders.digits import load_digits


def test_digits_are_split_without_overlap_and_completely() -> None:
    data = load_digits()
    parts = [data.train, data.validation, data.test]
    assert [len(part.labels) for part in parts] == [1037, 400, 360]
    images = np.concatenate([part.images.reshape(len(part.labels), -1) for part in parts])
    assert len(np.unique(images, axis=0)) == 1797  # no image of the data set occurs twice
    assert images.max() == 16


def test_the_split_is_fixed() -> None:
    assert load_digits().validation.labels[:12].tolist() == [7, 8, 3, 1, 7, 5, 8, 1, 1, 3, 0, 7]
