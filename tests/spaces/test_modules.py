from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ohmnas.spaces.modules import MeanOverPixels


def test_the_mean_over_pixels_is_torchs_pooling_with_gradients_in_channels_last() -> None:
    x = torch.randn(3, 5, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    found = MeanOverPixels()(x)
    torch.testing.assert_close(found, functional.adaptive_avg_pool2d(x, 1).flatten(1))
    grads: list[Tensor] = []
    x.register_hook(grads.append)  # type: ignore[no-untyped-call]
    found.square().sum().backward()
    assert grads[0].is_contiguous(memory_format=torch.channels_last)
