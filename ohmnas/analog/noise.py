"""Cheap Gaussian noise. On a CPU, it consists of slices from random places in a pool, instead of fresh draws.

A fresh draw can cost more than the convolution that it adds noise to; a slice of a pool costs one pass over memory.
Every element is still a standard normal variable. The elements of a tensor with at most `PIECE` elements are
independent. Two tensors share elements only where their slices overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor

from ohmnas.errors import InvalidValueError, shown

POOL: Final = 1 << 21
"""Number of elements of the pool: 8 MiB of float32."""
PIECE: Final = POOL // 2
"""Larger tensors are filled in pieces of this many elements, each from its own random place in the pool."""


class Noise(Protocol):
    """Source of standard normal numbers for layers."""

    def pieces(self, flat: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Split a flat tensor into views.

        Yield each with a tensor of standard normal float32 numbers of the same length.
        """
        ...

    def take(self, like: Tensor) -> Tensor:
        """Standard normal numbers in the shape of a tensor, read-only."""
        ...

    def add_(self, x: Tensor, std: float) -> None:
        """Add noise of standard deviation `std` to a dense tensor in place; a 4-D tensor must be channels_last."""
        ...

    def state(self) -> dict[str, Any]:
        """Position in the sequence of draws, as JSON values; it does not include torch's generators."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Return to a position that `state` returned."""
        ...


class FreshNoise:
    """New draws from torch's global generator for the tensor's device. A GPU draws as fast as it writes."""

    def pieces(self, flat: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """See `Noise`."""
        yield flat, torch.randn_like(flat, dtype=torch.float32)

    def take(self, like: Tensor) -> Tensor:
        """See `Noise`."""
        return torch.randn_like(like)

    def add_(self, x: Tensor, std: float) -> None:
        """See `Noise`."""
        x.add_(torch.randn_like(x), alpha=std)

    def state(self) -> dict[str, Any]:
        """See `Noise`."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `Noise`."""


def whole_seed(seed: object) -> int:
    """Return a seed as a Python integer, which torch needs.

    Raises:
        InvalidValueError: the seed is not a whole number (Python or NumPy) from 0 to 2^63 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) < 2**63:
        raise InvalidValueError(f"the seed must be a whole number from 0 to 2^63 - 1, not {shown(seed)}")
    return int(seed)


def noise_source(seed: int, device: torch.device) -> Noise:
    """The cheapest source of noise on a device: a pool drawn from the seed on a CPU, fresh draws on a GPU."""
    return NoisePool(seed, device) if device.type == "cpu" else FreshNoise()


class NoisePool:
    """Standard normal numbers, drawn once from a seed."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        """Draw the pool and move it to a device; the noise depends only on the seed and the calls."""
        self._places = np.random.default_rng(seed)
        self._pool = torch.randn(POOL, generator=torch.Generator().manual_seed(seed)).to(device)

    def pieces(self, flat: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """See `Noise`."""
        for piece in torch.split(flat, PIECE) if flat.numel() > PIECE else (flat,):
            start = int(self._places.integers(POOL - piece.numel() + 1))
            yield piece, self._pool[start : start + piece.numel()]

    def take(self, like: Tensor) -> Tensor:
        """See `Noise`."""
        parts = [noise for _, noise in self.pieces(like.reshape(-1))]
        return (parts[0] if len(parts) == 1 else torch.cat(parts)).view(like.shape)

    def add_(self, x: Tensor, std: float) -> None:
        """See `Noise`."""
        flat = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
        for piece, noise in self.pieces(flat.view(-1)):
            piece.add_(noise, alpha=std)

    def state(self) -> dict[str, Any]:
        """See `Noise`."""
        return {**self._places.bit_generator.state}

    def set_state(self, state: dict[str, Any]) -> None:
        """See `Noise`."""
        self._places.bit_generator.state = state
