"""Join the small groups of a convolution into fewer, larger groups. The additional weights are 0.

The bfloat16 matrix instruction (AMX) takes up to 32 inputs. Groups of up to eight channels leave most of it unused. The
joined convolution gives the same result, because the additional weights are 0, and is faster
(`benchmarks/branches.py`).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

MOST_JOINED: Final = 16
"""Largest number of input channels of a joined group. Above it, multiplying by 0 costs more than joining saves."""


def joined_by(groups: int, weight: Tensor) -> int:
    """Number of groups to join into one, a divisor of `groups`; 1 if joining would not be faster."""
    if weight.dtype != torch.bfloat16:
        return 1
    most = max(MOST_JOINED // weight.shape[1], 1)
    return max(several for several in range(1, min(most, groups) + 1) if groups % several == 0)


def join(weight: Tensor, groups: int, several: int) -> Tensor:
    """Join every s (`several`) of the g (`groups`) groups into one: ``(g * o, i, h, w)`` -> ``(g * o, s * i, h, w)``.

    The result is in channels_last, unless s is 1.
    """
    if several == 1:
        return weight
    outputs, inputs, *kernel = weight.shape
    apart = weight.view(groups // several, several, outputs // groups, inputs, *kernel)
    whole = weight.new_zeros(groups // several, several, outputs // groups, several, inputs, *kernel)
    torch.diagonal(whole, dim1=1, dim2=3).copy_(apart.movedim(1, -1))
    return whole.view(outputs, several * inputs, *kernel).contiguous(memory_format=torch.channels_last)


def part(whole: Tensor, groups: int, several: int) -> Tensor:
    """The inverse of `join`, for weights or their gradients: ``(g * o, s * i, h, w)`` -> ``(g * o, i, h, w)``."""
    if several == 1:
        return whole
    outputs, inputs, *kernel = whole.shape
    apart = whole.view(groups // several, several, outputs // groups, several, inputs // several, *kernel)
    return torch.diagonal(apart, dim1=1, dim2=3).movedim(-1, 1).reshape(outputs, inputs // several, *kernel)
