"""Hardware-aware training: the network learns with the chip's converters and noise in every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.convert import analog_layers, set_noise, set_precision
from ohmnas.analog.images import Images
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.noise import NoisePool
from ohmnas.errors import OhmnasError


class DivergedError(OhmnasError, ArithmeticError):
    """The training loss stopped being a number."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum and one cycle of the learning rate."""

    epochs: int = 40
    """Passes over the training images; a `Fidelity` says how many."""
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
    shift: tuple[int, int] = (0, 0)
    """Augmentation: images move by up to so many pixels down and right, or up and left, drawn for each batch."""
    flip: bool = False
    """Augmentation: each image is mirrored with a probability of one half."""
    gradient_norm: float = 2.0
    """Gradients are scaled down to this norm, so that deep networks without skips survive the first steps."""
    noise_from: float = 0.3
    """Share of the steps that are without weight noise: first the network finds what to compute."""
    noise_full: float = 0.6
    """Share of the steps after which the weight noise, which grows linearly, is that of the chip."""
    hopeless_after: float = 0.5
    """Share of the epochs after which a training whose loss never left chance is given up."""
    hopeless_loss: float = 0.98
    """What counts as chance: the lowest mean loss of an epoch, relative to guessing evenly."""
    precision: str = "float32"
    """Of the convolutions, in training and in all readings after it: float32 or bfloat16, as torch names them."""
    norm_batches: int = 10
    """Noisy batches of unshifted images over which the final batch norm statistics are averaged. The running ones hold
    the shifts and the weight noise of the last few steps, which no chip has. 0: the running ones stay."""

    def rate(self, progress: float) -> float:
        """The learning rate after this share of the steps, in (0, 1]."""
        return self.learning_rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))

    def noise(self, progress: float) -> float:
        """The weight noise after this share of the steps, relative to the chip's."""
        return min(max((progress - self.noise_from) / (self.noise_full - self.noise_from), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Training:
    """How a training went."""

    loss: float
    """Mean of the last epoch."""
    epochs: int
    """Epochs that were trained; fewer than the recipe's where it was given up as hopeless."""


class Hooks(Protocol):
    """What an engine does around each step."""

    def before_step(self, strength: float) -> None:
        """`strength` is the weight noise relative to the chip's."""
        ...

    def after_step(self) -> None:
        """The optimizer has moved the weights."""
        ...


def train(network: nn.Module, images: Images, labels: Tensor, recipe: Recipe, seed: int) -> Training:
    """Train an analog network in place.

    Args:
        network: an analog network (`convert.to_analog`).
        images: ``(m, channels, height, width)``.
        labels: ``(m,)`` int64.
        recipe: schedule and optimizer.
        seed: everything drawn follows from it.

    Returns:
        How it went.

    Raises:
        DivergedError: the loss is not finite.
    """
    set_precision(network, getattr(torch, recipe.precision))
    set_noise(network, NoisePool(seed, images.device))
    result = fit(network, images, labels, recipe, seed, _NativeHooks(list(analog_layers(network))))
    set_noise(network, None)
    return result


def fit(network: nn.Module, images: Images, labels: Tensor, recipe: Recipe, seed: int, hooks: Hooks) -> Training:
    """The recipe itself, for the layers of any engine: `train` without what only native layers know."""
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
    steps_per_epoch = max(len(images) // recipe.batch, 1)
    steps = recipe.epochs * steps_per_epoch
    chance = math.log(int(labels.max()) + 1)
    network.train()
    loss = lowest = math.inf
    epoch = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for epoch in range(1, recipe.epochs + 1):
            order = torch.randperm(len(images)).to(images.device)
            total = torch.zeros((), device=images.device)
            for index in range(steps_per_epoch):
                progress = ((epoch - 1) * steps_per_epoch + index + 1) / steps
                for group in optimizer.param_groups:
                    group["lr"] = recipe.rate(progress)
                hooks.before_step(recipe.noise(progress))
                chosen = order[index * recipe.batch : (index + 1) * recipe.batch]
                batch = _shifted(_flipped(images[chosen], recipe.flip), recipe.shift)
                one = functional.cross_entropy(network(batch), labels[chosen])
                optimizer.zero_grad(set_to_none=True)
                one.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, recipe.gradient_norm, foreach=True)
                optimizer.step()
                hooks.after_step()
                total += one.detach()
            loss = float(total) / steps_per_epoch
            lowest = min(lowest, loss)
            if not math.isfinite(loss):
                raise DivergedError(f"the loss was not finite in epoch {epoch} of {recipe.epochs}")
            if epoch >= recipe.hopeless_after * recipe.epochs and lowest > recipe.hopeless_loss * chance:
                break
        hooks.before_step(1.0)
        _average_batch_norms(network, images, recipe)
    return Training(loss, epoch)


@torch.no_grad()
def _average_batch_norms(network: nn.Module, images: Images, recipe: Recipe) -> None:
    """Replace the running statistics of all batch norms by plain averages under the final, noisy weights."""
    if not recipe.norm_batches:
        return
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for the plain average
    for _ in range(recipe.norm_batches):
        network(images[torch.randint(len(images), (recipe.batch,)).to(images.device)])


class _NativeHooks:
    """Noise strength and weight clipping of native layers."""

    def __init__(self, layers: list[AnalogLayer]) -> None:
        self._layers = layers

    def before_step(self, strength: float) -> None:
        for layer in self._layers:
            layer.noise_strength = strength

    @torch.no_grad()
    def after_step(self) -> None:
        """Clip each group's weights at the chip's multiple of their standard deviation (aihwkit's LAYER_GAUSSIAN)."""
        for layer in self._layers:
            if layer.chip.clip_sigma:
                groups = layer.weight.view(layer.groups, -1)
                limit = groups.std(dim=1, keepdim=True) * layer.chip.clip_sigma
                groups.clamp_(-limit, limit)


def _flipped(images: Tensor, flip: bool) -> Tensor:
    """Images of which each is mirrored with a probability of one half."""
    if not flip:
        return images
    chosen = torch.rand(len(images), 1, 1, 1).to(images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)


def _shifted(images: Tensor, shift: tuple[int, int]) -> Tensor:
    """All images of a batch moved by the same random offset of up to `shift` pixels, zeros coming in."""
    if not any(shift):
        return images
    down, right = (int(torch.randint(2 * most + 1, ())) for most in shift)
    height, width = images.shape[-2:]
    padded = functional.pad(images, (shift[1], shift[1], shift[0], shift[0]))
    return padded[..., down : down + height, right : right + width]
