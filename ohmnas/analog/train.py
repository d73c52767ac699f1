"""Hardware-aware training: the network learns with the chip's converters and noise in every step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.convert import analog_layers, set_noise
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.noise import NoisePool
from ohmnas.errors import OhmnasError


class DivergedError(OhmnasError, ArithmeticError):
    """The training loss stopped being a number."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum and one cycle of the learning rate."""

    epochs: int = 40
    """Passes over the training images."""
    batch: int = 128
    """Images a step."""
    learning_rate: float = 0.2
    """Peak of the cycle, reached after `warmup`, from where it falls to 0 linearly."""
    warmup: float = 0.2
    """Share of the steps in which the learning rate rises."""
    momentum: float = 0.9
    """Nesterov momentum."""
    weight_decay: float = 5e-4
    """On weights; batch norm and bias have none."""
    shift: int = 1
    """Augmentation: images move by up to so many pixels each way, drawn for each batch."""
    gradient_norm: float = 2.0
    """Gradients are scaled down to this norm, so that deep networks without skips survive the first steps."""
    norm_batches: int = 30
    """Noisy batches of unshifted images over which the final batch norm statistics are averaged. The running ones hold
    the shifts and the weight noise of the last few steps, which no chip has."""

    def rate(self, progress: float) -> float:
        """The learning rate after this share of the steps, in (0, 1]."""
        return self.learning_rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))


def train(network: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, seed: int) -> float:
    """Train an analog network in place.

    Args:
        network: an analog network (`convert.to_analog`).
        images: ``(m, channels, height, width)`` float32.
        labels: ``(m,)`` int64.
        recipe: schedule and optimizer.
        seed: everything drawn follows from it.

    Returns:
        Mean loss of the last epoch.

    Raises:
        DivergedError: the loss is not finite.
    """
    layers = list(analog_layers(network))
    set_noise(network, NoisePool(seed, images.device))
    loss = fit(network, images, labels, recipe, seed, lambda: _clip_weights(layers))
    set_noise(network, None)
    return loss


def fit(
    network: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, seed: int, after_step: Callable[[], None]
) -> float:
    """The recipe itself, for any network: `train` without what only native layers know.

    `after_step` is called behind each step of the optimizer.
    """
    decayed = [p for p in network.parameters() if p.dim() > 1]
    free = [p for p in network.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=True,
        fused=True,
    )
    parameters = decayed + free
    steps_per_epoch = len(images) // recipe.batch
    steps = recipe.epochs * steps_per_epoch
    network.train()
    loss_sum = math.inf
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for epoch in range(recipe.epochs):
            order = torch.randperm(len(images)).to(images.device)
            loss_sum = 0.0
            for index in range(steps_per_epoch):
                rate = recipe.rate((epoch * steps_per_epoch + index + 1) / steps)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                chosen = order[index * recipe.batch : (index + 1) * recipe.batch]
                loss = functional.cross_entropy(network(_shifted(images[chosen], recipe.shift)), labels[chosen])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, recipe.gradient_norm, foreach=True)
                optimizer.step()
                after_step()
                loss_sum += loss.item()
            if not math.isfinite(loss_sum):
                raise DivergedError(f"the loss was not finite in epoch {epoch + 1} of {recipe.epochs}")
        _average_batch_norms(network, images, recipe)
    return loss_sum / steps_per_epoch


@torch.no_grad()
def _average_batch_norms(network: nn.Module, images: Tensor, recipe: Recipe) -> None:
    """Replace the running statistics of all batch norms by plain averages under the final, noisy weights."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for the plain average
    for _ in range(recipe.norm_batches):
        network(images[torch.randint(len(images), (recipe.batch,))])


@torch.no_grad()
def _clip_weights(layers: list[AnalogLayer]) -> None:
    """Clip each group's weights at the chip's multiple of their standard deviation (aihwkit's LAYER_GAUSSIAN)."""
    for layer in layers:
        if layer.chip.clip_sigma:
            groups = layer.weight.view(layer.groups, -1)
            limit = groups.std(dim=1, keepdim=True) * layer.chip.clip_sigma
            groups.clamp_(-limit, limit)


def _shifted(images: Tensor, shift: int) -> Tensor:
    """All images of a batch moved by the same random offset of up to `shift` pixels, zeros coming in."""
    if not shift:
        return images
    down, right = (int(v) for v in torch.randint(2 * shift + 1, (2,)))
    height, width = images.shape[-2:]
    padded = functional.pad(images, (shift,) * 4)
    return padded[..., down : down + height, right : right + width]
