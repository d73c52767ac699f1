"""Access to the parts of a network that proxies use: weights, batch norms, features, activations. For any space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Weighted = nn.Conv2d | nn.Linear


def weighted(network: nn.Module) -> list[Weighted]:
    """Convolutions and linear layers, in the order in which they were built."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def loss_of(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of a batch."""
    return functional.cross_entropy(network(images), labels)


def gradients(loss: Tensor, weights: Sequence[Tensor], create_graph: bool = False) -> list[Tensor]:
    """Gradients of a loss; zeros for weights that do not affect it."""
    if not loss.requires_grad:
        return [torch.zeros_like(weight) for weight in weights]
    found = torch.autograd.grad(loss, weights, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(weight) if one is None else one for weight, one in zip(weights, found, strict=True)]


def weight_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Weights of convolutions and linear layers, each with the gradient of the loss with respect to it."""
    weights = [layer.weight for layer in weighted(network)]
    found = gradients(loss_of(network, images, labels), weights)
    return [(weight.detach(), gradient) for weight, gradient in zip(weights, found, strict=True)]


def input_gradients(network: nn.Module, images: Tensor) -> Tensor:
    """``(b, pixels)``: gradients of the sum of an image's outputs with respect to its pixels."""
    images = images.detach().clone().requires_grad_(True)
    (found,) = gradients(network(images).sum(), [images])
    return found.detach().flatten(1).double()


def without_norms(network: nn.Module) -> None:
    """Replace batch norms by identities."""
    for parent in [*network.modules()]:
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                setattr(parent, name, nn.Identity())


@torch.no_grad()
def freeze_norms(network: nn.Module, images: Tensor) -> None:
    """Give batch norms the statistics of a batch and put the network into evaluation mode.

    Each output then depends on its own image only.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # None is the plain average in torch
        norm.train()
    network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


class _Rectified(TorchFunctionMode):
    """Records which inputs of each ReLU are positive, for modules, functions and methods."""

    _FUNCTIONS = frozenset({functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu_})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in self._FUNCTIONS:
            self.found.append((args[0].detach() > 0).flatten(1))
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def activation_patterns(network: nn.Module, images: Tensor) -> list[Tensor]:
    """``(b, units)`` bool for each ReLU, in the order in which they are computed: True where the input is positive."""
    rectified = _Rectified()
    with rectified:
        network(images)
    return rectified.found


@contextmanager
def outputs_of(modules: Sequence[nn.Module]) -> Iterator[list[tuple[nn.Module, Tensor, Tensor]]]:
    """Yield a list; each call of one of the modules appends the module, its first input and its output."""
    found: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if inputs and isinstance(inputs[0], Tensor) and isinstance(output, Tensor):
            found.append((module, inputs[0], output))

    handles = [module.register_forward_hook(note) for module in modules]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def last_features(network: nn.Module, images: Tensor) -> Tensor:
    """``(b, c, h, w)``: input of the first module that removes the spatial dimensions by pooling or flattening.

    If no module removes them, the last output with spatial dimensions is returned.

    Raises:
        ValueError: no module has a 4-dimensional output.
    """
    leaves = [module for module in network.modules() if not [*module.children()]]
    with outputs_of(leaves) as found:
        network(images)
    for _, before, after in found:
        if before.dim() == 4 and (after.dim() == 2 or after.shape[2:] == (1, 1) != before.shape[2:]):
            return before
    with_pixels = [after for _, _, after in found if after.dim() == 4]
    if not with_pixels:
        raise ValueError("no module of the network has a 4-dimensional output")
    return with_pixels[-1]


def block_features(network: nn.Module, images: Tensor) -> list[Tensor]:
    """``(b, c, h, w)`` each: the output of the stem, then the output of each block.

    Blocks are the children of the network that contain other modules; the stem is all children before them. For a
    network without blocks, the outputs of its convolutions are returned instead.
    """
    children = [*network.children()]
    blocks = [child for child in children if [*child.children()]]
    if not blocks:
        with outputs_of([layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]) as found:
            network(images)
        return [after for _, _, after in found]
    with outputs_of(blocks) as found:
        network(images)
    features = [found[0][1], *(after for _, _, after in found)]
    return [one for one in features if one.dim() == 4]
