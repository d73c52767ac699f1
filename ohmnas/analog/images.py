"""Images that stay compact in memory and are normalised batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Images(Protocol):
    """Images for training and evaluation: `ImageSet`, or a float32 tensor of normalised images."""

    @property
    def device(self) -> torch.device:
        """Device of the batches."""
        ...

    @property
    def shape(self) -> torch.Size:
        """``(m, channels, height, width)``."""
        ...

    def __len__(self) -> int:
        """Number of images."""
        ...

    def __getitem__(self, chosen: Tensor | slice, /) -> Tensor:
        """``(b, channels, height, width)`` float32: the chosen images, normalised."""
        ...


class ImageSet:
    """Images in the format of a task's files, normalised when they are read."""

    def __init__(
        self,
        images: npt.NDArray[np.generic],
        mean: npt.NDArray[np.float64],
        std: npt.NDArray[np.float64],
        device: torch.device | str = "cpu",
        before_batch: Callable[[], None] | None = None,
    ) -> None:
        """Wrap an array. On a CPU, a memory-mapped array stays on disk until it is read; on a GPU, all of it is copied.

        Args:
            images: ``(m, channels, height, width)`` of any type that torch supports.
            mean: ``(channels,)``: subtracted from the images.
            std: ``(channels,)``: the images are divided by it afterwards.
            device: device of the batches.
            before_batch: called before each batch is made; its exceptions reach the caller.
        """
        self._images = torch.from_numpy(images).to(device)
        self._mean, self._std = (torch.from_numpy(v).to(device).view(-1, 1, 1) for v in (mean, std))
        self.device = self._images.device
        self.shape = self._images.shape
        self._before_batch = before_batch

    def __len__(self) -> int:
        """Number of images."""
        return len(self._images)

    def __getitem__(self, chosen: Tensor | slice, /) -> Tensor:
        """``(b, channels, height, width)`` float32, in channels_last."""
        if self._before_batch is not None:
            self._before_batch()
        batch = (self._images[chosen] - self._mean).div_(self._std)
        return batch.to(torch.float32, memory_format=torch.channels_last)
