"""Cheap Gaussian noise on activations: slices of a pool at random places instead of fresh draws.

A fresh draw can cost more than the convolution whose output it disturbs; adding a slice of a pool is one pass over
memory. Every element is still a standard normal variable, and a tensor that fits into the pool has independent
elements; two tensors share elements only where their slices overlap.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

POOL: Final = 1 << 21
"""Elements; 8 MiB of float32. Larger tensors are filled piece by piece, each from its own random place."""
PIECE: Final = POOL // 2


class NoisePool:
    """Standard normal numbers, drawn once from a seed."""

    def __init__(self, seed: int) -> None:
        """Draw the pool; everything that it gives follows from the seed and the order of calls."""
        self._generator = torch.Generator().manual_seed(seed)
        self._pool = torch.randn(POOL, generator=self._generator)

    def add_(self, x: Tensor, std: float) -> None:
        """Add noise of standard deviation `std` to a dense tensor, in place."""
        flat = x.permute(0, 2, 3, 1) if x.dim() == 4 and not x.is_contiguous() else x
        flat = flat.view(-1)
        for piece in torch.split(flat, PIECE):
            start = int(torch.randint(POOL - len(piece) + 1, (1,), generator=self._generator))
            piece.add_(self._pool[start : start + len(piece)], alpha=std)
