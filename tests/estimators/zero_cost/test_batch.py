from __future__ import annotations

import numpy as np
import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.estimators.zero_cost import Batch
from ohmnas.testing.formula import SPACE


def test_images_of_a_task_are_normalised_and_follow_from_the_seed() -> None:
    first, again, other = (Batch.of(task("digits"), 200, seed) for seed in (0, 0, 1))
    assert first.images.shape == (200, 1, 8, 8)
    assert first.images.dtype == np.float32
    assert abs(first.images.mean()) < 0.05
    assert abs(first.images.std() - 1.0) < 0.05
    assert {*first.labels.tolist()} == {*range(10)}
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.array_equal(first.labels, other.labels)
    assert len(Batch.of(task("digits"), 10_000).labels) == 1037


def test_noise_has_the_shape_of_a_space() -> None:
    batch = Batch.of_noise(SPACE, 50, 3)
    assert batch.images.shape == (50, *SPACE.input_shape)
    assert ((batch.labels >= 0) & (batch.labels < SPACE.classes)).all()


def test_a_batch_of_one_image_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least two images"):
        Batch.of_noise(SPACE, 1)
