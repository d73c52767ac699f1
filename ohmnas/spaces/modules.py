"""Torch modules shared by several spaces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class RunsChains(nn.Module):
    """A module that calls each `nn.Sequential` inside it as a whole, never layer by layer.

    Conversion to a chip can then fuse a convolution, its batch norm and its ReLU into one pass.
    """


class MeanOverPixels(nn.Module):
    """``(batch, c, h, w)`` -> ``(batch, c)``. Its gradients are channels_last, unlike those of torch's pooling."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of each channel."""
        return x.permute(0, 2, 3, 1).flatten(1, 2).mean(dim=1)


class BranchSum(nn.Module):
    """``(batch, b * c, h, w)`` -> ``(batch, c, h, w)``: sum of b branches with adjacent channels."""

    def __init__(self, branches: int) -> None:
        """Create a sum of this many branches."""
        super().__init__()
        self.branches = branches

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        result: Tensor = _AddBranches.apply(x, self.branches)  # type: ignore[no-untyped-call]
        return result


class _AddBranches(torch.autograd.Function):
    """Keep channels_last forward and backward; plain autograd changes the layout."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, branches: int) -> Tensor:
        ctx.branches = branches
        result: Tensor = torch.unflatten(x.permute(0, 2, 3, 1), 3, (branches, -1)).sum(dim=3)
        return result.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0].permute(0, 2, 3, 1).repeat(1, 1, 1, ctx.branches).permute(0, 3, 1, 2), None
