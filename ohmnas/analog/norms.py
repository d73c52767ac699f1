"""Recompute batch norm statistics for the current weights and arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.analog.images import Images

CALIBRATION_IMAGES: Final = 1280
"""Largest number of images to average over."""
_BATCH: Final = 128

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


@contextmanager
def saved_statistics(network: nn.Module) -> Iterator[None]:
    """Restore the statistics of all batch norms after the block."""
    kept = [(norm, {name: buffer.clone() for name, buffer in norm.named_buffers()}) for norm in batch_norms(network)]
    try:
        yield
    finally:
        for norm, buffers in kept:
            for name, value in buffers.items():
                getattr(norm, name).copy_(value)


@torch.no_grad()
def average_statistics(network: nn.Module, images: Images) -> None:
    """Replace the statistics of all batch norms by plain averages over the first images, in batches of 128.

    Apart from batch norms, the network is in evaluation mode: it uses the weights of its chip, if one is loaded, and
    fixed input ranges. Afterwards, the whole network is in evaluation mode. On a programmed and drifted chip, this is
    adaptive batch norm (V. Joshi et al., Nature Communications 2020).
    """
    norms = batch_norms(network)
    network.eval()
    try:
        with averaging(norms):
            for norm in norms:
                norm.train()
            for batch in calibration_batches(images):
                network(batch)
    finally:
        network.eval()


@contextmanager
def averaging(norms: Sequence[BatchNorm]) -> Iterator[None]:
    """Reset the statistics; inside the block, batch norms in training mode average over batches."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # None is the plain average in torch
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def calibration_batches(images: Images) -> Iterator[Tensor]:
    """The first images in batches of 128; an incomplete batch is skipped unless it is the only one."""
    count = min(len(images), CALIBRATION_IMAGES)
    for start in range(0, max(count - _BATCH, 0) + 1, _BATCH):
        yield images[start : start + min(_BATCH, count)]


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    """The batch norms of a network, in the order of `torch.nn.Module.modules`."""
    return [module for module in network.modules() if isinstance(module, BatchNorm)]
