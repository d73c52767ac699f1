"""Zen: how strongly the features change with the image.

M. Lin, P. Wang, Z. Sun, H. Chen, X. Sun, Q. Qian, H. Li, R. Jin, "Zen-NAS: A Zero-Shot NAS for High-Performance Image
Recognition", ICCV 2021.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import last_features, outputs_of, weighted

STEP: Final = 0.01
"""Standard deviation of the noise that is added to the images."""
KEPT: Final = 0.81
"""Weight of a batch norm's initial variance (1) in its scale: 0.9 ** 2. The authors' code and all published values use
the running variance after two batches with momentum 0.1; the paper uses the variance of the batch. The choice changes
ranks, because each batch norm contributes its scale."""


class Zen(OfNetwork):
    """Logarithm of the mean change of the last features, plus the logarithms of the scales that batch norms removed.

    Weights and images are standard normal. The change of an image is the sum of the absolute differences over channels
    and pixels.
    """

    target = proxy_target("zen", "Zen")
    draws_weights = True

    @torch.no_grad()
    def prepare(self, network: nn.Module) -> None:
        """Draw standard normal weights."""
        for layer in weighted(network):
            layer.weight.normal_()
            if layer.bias is not None:
                layer.bias.zero_()

    @torch.no_grad()
    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - required by `OfNetwork`
        """See `OfNetwork`."""
        drawn = torch.randn_like(images)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        with outputs_of(norms) as found:
            features = last_features(network, drawn)
        moved = last_features(network, drawn + STEP * torch.randn_like(images))
        change = float((features - moved).abs().flatten(1).sum(dim=1).mean())
        variances = [float(before.var(dim=(0, 2, 3)).mean()) for _, before, _ in found]
        scales = sum(0.5 * math.log(KEPT + (1.0 - KEPT) * variance) for variance in variances)
        return math.log(change) + scales if change > 0.0 else float("nan")
