"""SNIP: the sum of the saliencies of all weights.

N. Lee, T. Ajanthan, P. Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019; as a proxy
in M. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import weight_gradients


class Snip(OfNetwork):
    """Sum of |weight x gradient of the loss|."""

    target = proxy_target("snip", "SNIP")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`."""
        pairs = weight_gradients(network, images, labels)
        return sum(float((weight * gradient).abs().sum()) for weight, gradient in pairs)
