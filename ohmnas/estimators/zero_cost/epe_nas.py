"""EPE-NAS: correlation of the gradients of images of the same class.

V. Lopes, S. Alirezazadeh, L. Alexandre, "EPE-NAS: Efficient Performance Estimation Without Training for Neural
Architecture Search", ICANN 2021.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import input_gradients

SMALLEST: Final = 1e-5
"""Added to absolute correlations."""
MANY_CLASSES: Final = 100
"""With more classes, the score uses differences between the class sums instead of the sums."""


class EpeNas(OfNetwork):
    """Sum over the classes of the absolute value of the summed log correlations between the images of a class."""

    target = proxy_target("epe_nas", "EPE-NAS")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`. If a class has a single image, its correlation is 1."""
        jacobians = input_gradients(network, images)
        with torch.no_grad():
            classes = network(images[:2]).shape[1]
        sums = []
        for label in range(classes):
            own = jacobians[labels == label]
            if not len(own):
                continue
            correlations = torch.corrcoef(own) if len(own) > 1 else torch.ones(1, 1, dtype=own.dtype)
            logarithms = (correlations.abs() + SMALLEST).log()
            sums.append(float(logarithms.sum()) / (len(own) if classes > MANY_CLASSES else 1))
        if classes <= MANY_CLASSES:
            return sum(map(abs, sums))
        return sum(abs(one - other) for one in sums for other in sums) / len(sums)
