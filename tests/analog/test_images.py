from __future__ import annotations

import numpy as np
import pytest
import torch

from ohmnas.analog.images import ImageSet


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_batches_are_the_chosen_images_normalised(dtype: type) -> None:
    raw: np.ndarray = np.random.default_rng(0).integers(200, size=(10, 3, 4, 5)).astype(dtype)
    mean, std = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    images = ImageSet(raw, mean, std)
    expected = (raw.astype(np.float64) - mean[:, None, None]) / std[:, None, None]
    for chosen in (torch.tensor([3, 3, 9]), slice(2, 7)):
        batch = images[chosen]
        assert batch.dtype == torch.float32
        assert batch.is_contiguous(memory_format=torch.channels_last)
        assert np.allclose(batch.numpy(), expected[np.asarray(chosen) if torch.is_tensor(chosen) else chosen])
    assert (len(images), images.shape, images.device.type) == (10, (10, 3, 4, 5), "cpu")


def test_the_callback_before_each_batch_can_end_the_reading() -> None:
    seen: list[int] = []

    def check() -> None:
        seen.append(1)
        if len(seen) > 2:
            raise RuntimeError("enough")

    images = ImageSet(np.zeros((4, 1, 2, 2)), np.zeros(1), np.ones(1), before_batch=check)
    for start in (0, 2):
        assert len(images[slice(start, start + 2)]) == 2
    with pytest.raises(RuntimeError, match="enough"):
        images[slice(0, 2)]
