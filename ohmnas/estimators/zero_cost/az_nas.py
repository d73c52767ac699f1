"""AZ-NAS: combined ranks of expressivity, progressivity, trainability and complexity.

J. Lee, B. Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR 2024.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.estimators.zero_cost.measure import Proxy, Values, bounded, proxy_target
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.estimators.zero_cost.parts import block_features, weighted
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

SMALLEST: Final = 1e-8


class AzNas(Proxy):
    """Sum of the log ranks of four measures; each rank is among the architectures that are measured together.

    - Expressivity: sum over the stem and the blocks of the entropy of the normalised principal variances of their
      features.
    - Progressivity: smallest increase in this entropy from one block to the next.
    - Trainability: mean over the blocks of 2 - s - 1 / s; s is the spectral norm of the block's Jacobian, estimated
      from one random vector of signs.
    - Complexity: number of multiply-accumulates.

    Weights are drawn as in He et al. (2015), scaled by the fan-in; images are standard normal.
    """

    target = proxy_target("az_nas", "AZ-NAS")
    compares = True

    def measure(self, space: Space, population: Population, networks: Networks) -> Values:
        """``(n,)``: see `Proxy`; at most 0, the value of a network that ranks first in all four measures."""
        return combined_ranks(self.columns(space, population, networks))

    def columns(self, space: Space, population: Population, networks: Networks) -> Values:
        """``(n, 4)``: the four measures; not finite where they are not defined."""
        columns = np.empty((len(population), 4))
        for row, genome in enumerate(population):
            with networks.of(genome, he_fan_in) as (network, images, _):
                columns[row, :3] = parts(network, torch.randn_like(images))
        columns[:, 3] = space.macs(population)
        return columns


def combined_ranks(columns: Values) -> Values:
    """``(n, 4)`` measures -> ``(n,)``: the sum of the logarithms of the relative ranks; the best rank is 1."""
    ranks = np.column_stack([rankdata(bounded(column)) for column in columns.T]) / max(len(columns), 1)
    logs: Values = np.log(ranks).sum(axis=1)
    return logs


@torch.no_grad()
def he_fan_in(network: nn.Module) -> None:
    """Draw weights as in He et al. (2015), scaled by the fan-in."""
    for layer in weighted(network):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        if layer.bias is not None:
            layer.bias.zero_()


def parts(network: nn.Module, images: Tensor) -> tuple[float, float, float]:
    """Expressivity, progressivity and trainability of one network; not finite if they are not defined."""
    features = block_features(network, images)
    entropies = np.array([_entropy(one.detach()) for one in features])
    steps = np.diff(entropies)
    if not len(steps):
        return float(entropies.sum()), math.nan, math.nan
    norms = [_spectral_norm(before, after) for before, after in pairwise(features)]
    trainability = np.mean([2.0 - norm - 1.0 / (norm + 1e-6) for norm in norms])
    return float(entropies.sum()), float(steps.min()), float(trainability)


def _entropy(features: Tensor) -> float:
    """Entropy of the normalised principal variances of ``(b, c, h, w)`` features; a sample is one pixel."""
    samples = features.permute(0, 2, 3, 1).flatten(0, 2)
    centred = samples - samples.mean(dim=0)
    covariance = centred.T @ centred / len(centred)
    if not torch.isfinite(covariance).all():
        return math.nan
    variances = torch.linalg.eigvalsh(covariance).clamp(min=0.0)
    shares = variances / variances.sum()
    return -float((shares * (shares + SMALLEST).log()).sum())


def _spectral_norm(before: Tensor, after: Tensor) -> float:
    """Spectral norm of a block's Jacobian; infinite for an identity and for a constant, which cannot be trained."""
    if not after.requires_grad:
        return math.inf
    signs = torch.randint(0, 2, after.shape).to(after.dtype) * 2.0 - 1.0
    (back,) = torch.autograd.grad(after, before, signs, retain_graph=True, allow_unused=True)
    if back is None or (back.shape == signs.shape and torch.equal(back, signs)):
        return math.inf
    stride = -(-before.shape[2] // after.shape[2])
    if stride > 1:
        rows, columns = (stride * side for side in after.shape[2:])
        padded = functional.pad(back, (0, max(columns - back.shape[3], 0), 0, max(rows - back.shape[2], 0)))
        back = functional.pixel_unshuffle(padded[:, :, :rows, :columns], stride)
    left, right = (one.permute(0, 2, 3, 1).flatten(0, 2) for one in (back, signs))
    product = left.T @ right / len(right)
    return float(torch.linalg.matrix_norm(product, ord=2)) if torch.isfinite(product).all() else math.inf
