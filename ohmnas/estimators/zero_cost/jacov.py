"""Jacobian covariance: how uncorrelated the gradients of different images are.

J. Mellor et al., "Neural Architecture Search without Training", first version, arXiv:2006.04647v1, 2020; as in
M. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import input_gradients

SMALLEST: Final = 1e-5
"""Added to eigenvalues."""


class JacobianCovariance(OfNetwork):
    """Minus the sum of log(v) + 1 / v over the eigenvalues v of the images' correlation matrix."""

    target = proxy_target("jacov", "Jacobian covariance")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:  # noqa: ARG002 - required by `OfNetwork`
        """See `OfNetwork`."""
        correlations = torch.corrcoef(input_gradients(network, images))
        if not torch.isfinite(correlations).all():
            return float("nan")
        values = torch.linalg.eigvalsh(correlations).clamp(min=0.0) + SMALLEST
        return -float((values.log() + 1.0 / values).sum())
