"""Fisher: the sum of the saliencies of all channels.

J. Turner, E. Crowley, M. O'Boyle, A. Storkey, G. Gray, "BlockSwap: Fisher-guided Block Substitution for Network
Compression on a Budget", ICLR 2020; as a proxy in M. Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS",
ICLR 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.measure import OfNetwork, proxy_target
from ohmnas.estimators.zero_cost.parts import gradients, loss_of, outputs_of, weighted


class Fisher(OfNetwork):
    """Sum over the weights of their channel's saliency.

    The saliency of a channel is half the mean over the images of (sum over the pixels of activation x gradient)^2.
    """

    target = proxy_target("fisher", "Fisher")

    def score(self, network: nn.Module, images: Tensor, labels: Tensor) -> float:
        """See `OfNetwork`."""
        with outputs_of(weighted(network)) as found:
            loss = loss_of(network, images, labels)
        outputs = [output for _, _, output in found]
        total = 0.0
        for (layer, _, output), gradient in zip(found, gradients(loss, outputs), strict=True):
            products = (output.detach() * gradient).flatten(2).sum(dim=2) if output.dim() > 2 else output * gradient
            saliencies = 0.5 * products.detach().square().mean(dim=0)
            weight = layer.weight
            assert isinstance(weight, Tensor)  # noqa: S101 - for the type checker
            total += float(saliencies.sum()) * (weight.numel() // len(weight))
        return total if torch.isfinite(torch.tensor(total)) else float("nan")
