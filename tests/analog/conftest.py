"""What the analog tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from ohmnas.hardware import Hardware


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def chip() -> Hardware:
    return Hardware()


@pytest.fixture
def small_network() -> nn.Sequential:
    """A convolution, a grouped one and a linear layer: every kind of mapping but a split one."""
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


@pytest.fixture
def two_blobs() -> tuple[Tensor, Tensor]:
    """300 images of 3 classes that a small network tells apart."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(300) % 3
    means = torch.randn(3, 2, 6, 6, generator=generator)
    images = means[labels] + 0.7 * torch.randn(300, 2, 6, 6, generator=generator)
    return images.contiguous(memory_format=torch.channels_last), labels
