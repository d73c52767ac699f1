"""SynFlow: how much signal flows through the absolute weights.

H. Tanaka, D. Kunin, D. Yamins, S. Ganguli, "Pruning neural networks without any data by iteratively conserving
synaptic flow", NeurIPS 2020; as a proxy in M. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import gradients, weighted, without_norms


class SynFlow(OfNetwork):
    """Logarithm of the sum of |weight x gradient| for an image of ones, with absolute weights and no batch norm."""

    target = proxy_target("synflow", "SynFlow")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - required by `OfNetwork`
        """See `OfNetwork`. It uses double precision, because the flow grows by orders of magnitude in each layer."""
        without_norms(network)
        network.double().eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.abs_()
        ones = torch.ones(1, *images.shape[1:], dtype=torch.float64)
        weights = [layer.weight for layer in weighted(network)]
        found = gradients(network(ones).sum(), weights)
        flow = sum(
            float((weight.detach() * gradient).abs().sum()) for weight, gradient in zip(weights, found, strict=True)
        )
        return math.log(flow) if flow > 0.0 else float("nan")
