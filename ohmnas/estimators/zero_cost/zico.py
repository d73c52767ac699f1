"""ZiCo: how constant the gradients are across batches.

G. Li, Y. Yang, K. Bhardwaj, R. Marculescu, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients",
ICLR 2023.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import weight_gradients


class ZiCo(OfNetwork):
    """Sum over the layers of the log of the sum over the weights of mean(|gradient|) / std(|gradient|).

    Mean and standard deviation are over two batches, the halves of the images.
    """

    target = proxy_target("zico", "ZiCo")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`. Layers without a gradient are ignored."""
        halves = [
            [gradient.abs() for _, gradient in weight_gradients(network, *half)]
            for half in zip(images.chunk(2), labels.chunk(2), strict=True)
        ]
        total = 0.0
        for one, other in zip(*halves, strict=True):
            gradients = torch.stack([one, other]).double()
            mean, std = gradients.mean(dim=0), gradients.std(dim=0, correction=0)
            constancy = float((mean[std > 0] / std[std > 0]).sum())
            total += math.log(constancy) if constancy > 0.0 else 0.0
        return total
