from __future__ import annotations

import numpy as np
import pytest

from ohmnas.datasets.task import TASKS, task
from ohmnas.errors import UnknownNameError


@pytest.mark.parametrize("name", TASKS)
def test_shapes_and_classes_are_those_the_task_states(name: str) -> None:
    one = task(name)
    data = one.load()
    for split in (data.train, data.validation, data.test):
        assert split.images.shape == (len(split.labels), *one.input_shape)
        assert split.images.dtype == np.float32
        assert set(split.labels) == set(range(one.classes))


def test_digits_are_split_without_overlap_and_completely() -> None:
    data = task("digits").load()
    parts = [data.train, data.validation, data.test]
    assert [len(part.labels) for part in parts] == [1037, 400, 360]
    images = np.concatenate([part.images.reshape(len(part.labels), -1) for part in parts])
    assert len(images) == 1797
    assert len(np.unique(images, axis=0)) == 1797  # no image of the data set occurs twice


def test_the_split_is_fixed() -> None:
    assert task("digits").load().validation.labels[:12].tolist() == [7, 8, 3, 1, 7, 5, 8, 1, 1, 3, 0, 7]


def test_training_images_are_normalised() -> None:
    images = task("digits").load().train.images
    assert abs(images.mean()) < 1e-4
    assert abs(images.std() - 1) < 1e-4


def test_an_unknown_task_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="no task 'mnist'; there is digits"):
        task("mnist")
