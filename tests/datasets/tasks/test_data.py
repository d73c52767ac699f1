from __future__ import annotations

import numpy as np
import pytest

from ohmnas.datasets.tasks.data import Split, task_data


def _split(shape: tuple[int, ...], dtype: str = "uint8") -> Split:
    images = np.random.default_rng(0).integers(255, size=shape).astype(dtype)
    return Split(images, np.arange(shape[0]) % 2)


def test_mean_and_std_are_those_of_the_training_pixels_of_a_channel() -> None:
    train = _split((20, 3, 6, 5))
    data = task_data(train, _split((2, 3, 6, 5)), _split((2, 3, 6, 5)))
    assert np.allclose(data.mean, train.images.mean(axis=(0, 2, 3)))
    assert np.allclose(data.std, train.images.std(axis=(0, 2, 3)))


def test_the_first_images_keep_their_labels() -> None:
    split = _split((20, 1, 4, 4))
    assert np.array_equal(split.first(7).images, split.images[:7])
    assert np.array_equal(split.first(7).labels, split.labels[:7])
    assert len(split.first(None).labels) == len(split.first(100).labels) == 20


@pytest.mark.parametrize(("side", "shape"), [(None, (8, 12)), (12, (8, 12)), (8, (8, 6)), (4, (4, 4)), (5, (4, 4))])
def test_images_are_averaged_down_to_a_side(side: int | None, shape: tuple[int, int]) -> None:
    for dtype in ("uint8", "float32"):
        split = _split((3, 2, 8, 12), dtype)
        small = split.shrunk(side)
        assert small.images.shape == (3, 2, *shape)
        assert small.images.dtype == dtype
        assert abs(float(small.images.mean()) - float(split.images.mean())) < 1
        assert small.images.max() <= split.images.max()


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("value", [0, 0.1, 7, 255])
def test_a_constant_channel_becomes_zero(dtype: str, value: float) -> None:
    train = _split((20, 3, 6, 5), dtype)
    train.images[:, 1] = value
    data = task_data(train, _split((2, 3, 6, 5)), _split((2, 3, 6, 5)))
    assert data.std[1] == 1
    assert np.abs(train.images[:, 1].astype(np.float64) - data.mean[1]).max() < 1e-3
    assert np.allclose(np.delete(data.std, 1), np.delete(train.images.astype(np.float64).std(axis=(0, 2, 3)), 1))
