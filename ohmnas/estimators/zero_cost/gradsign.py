"""GradSign: agreement of the images' gradient signs, summed over the weights.

Z. Zhang, Z. Jia, "GradSign: Model Performance Inference with Theoretical Insights", ICLR 2022, Algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import freeze_norms, gradients, loss_of, weighted


class GradSign(OfNetwork):
    """Sum over the weights of the absolute sum over the images of the gradient's sign.

    Batch norms have the statistics of the batch, so each gradient depends on one image only.
    """

    target = proxy_target("gradsign", "GradSign")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`."""
        if network.training:
            freeze_norms(network, images)
        weights = [layer.weight for layer in weighted(network)]
        signs = [torch.zeros_like(weight) for weight in weights]
        for place in range(len(images)):
            loss = loss_of(network, images[place : place + 1], labels[place : place + 1])
            for total, gradient in zip(signs, gradients(loss, weights), strict=True):
                total.add_(gradient.sign())
        return sum(float(total.abs().sum()) for total in signs)
