"""GraSP: how the gradient flow changes when weights are removed.

C. Wang, G. Zhang, R. Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020; as a
proxy in M. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import gradients, loss_of, weighted


class Grasp(OfNetwork):
    """Minus the sum of weight x (Hessian x gradient)."""

    target = proxy_target("grasp", "GraSP")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`."""
        weights = [layer.weight for layer in weighted(network)]
        first = gradients(loss_of(network, images, labels), weights, create_graph=True)
        product = torch.stack([(one.detach() * one).sum() for one in first]).sum()
        second = gradients(product, weights)
        return -sum(float((weight.detach() * one).sum()) for weight, one in zip(weights, second, strict=True))
