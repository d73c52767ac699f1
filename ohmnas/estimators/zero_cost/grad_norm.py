"""Norm of the gradient.

M. Abdelfattah, A. Mehrotra, L. Dudziak, N. Lane, "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import weight_gradients


class GradientNorm(OfNetwork):
    """Sum over the layers of the Euclidean norm of the gradient of the loss."""

    target = proxy_target("grad_norm", "gradient norm")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`."""
        return sum(float(gradient.norm()) for _, gradient in weight_gradients(network, images, labels))
