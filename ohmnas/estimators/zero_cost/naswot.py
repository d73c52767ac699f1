"""NASWOT: how different the activation patterns of the images are.

J. Mellor, J. Turner, A. Storkey, E. Crowley, "Neural Architecture Search without Training", ICML 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import activation_patterns


class Naswot(OfNetwork):
    """Logarithm of the determinant of K; K_ij is the number of ReLU units with the same state for images i and j."""

    target = proxy_target("naswot", "NASWOT")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - required by `OfNetwork`
        """See `OfNetwork`. NaN (scored lowest) if two images have the same pattern, or there is no ReLU."""
        alike = torch.zeros(len(images), len(images), dtype=torch.float64)
        for positive in activation_patterns(network, images):
            signs = 2.0 * positive.float() - 1.0
            alike += (positive.shape[1] + (signs @ signs.T).double()) / 2.0
        sign, logarithm = torch.linalg.slogdet(alike)
        return float(logarithm) if sign > 0 else float("nan")
