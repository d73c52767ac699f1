"""Hardware-aware training: the network learns with the chip's converters and noise in every step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.convert import analog_layers, set_noise, set_precision
from ohmnas.analog.images import Images
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.noise import noise_source
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.step import GraphedStep, Hooks, Step
from ohmnas.errors import DivergedError
from ohmnas.lookup import look_up

_FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "tf32": torch.float32}
"""Precision -> what tensors are. A GPU multiplies float32 in TensorFloat-32 where it may (`precision.tf32`)."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a training went."""

    loss: float
    """Mean of the last epoch."""
    epochs: int
    """Epochs that were trained; fewer than the recipe's where it was given up as hopeless."""


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
        UnknownNameError: there is no such precision.
    """
    set_precision(network, look_up("precision", _FORMATS, recipe.precision))
    set_noise(network, noise_source(seed, images.device))
    hooks = NativeHooks(list(analog_layers(network)))
    result = fit(network, images, labels, recipe, seed, hooks, graphed=images.device.type == "cuda")
    set_noise(network, None)
    return result


def fit(
    network: nn.Module, images: Images, labels: Tensor, recipe: Recipe, seed: int, hooks: Hooks, graphed: bool = False
) -> Training:
    """The recipe itself, for the layers of any engine: `train` without what only native layers know.

    Args:
        network: of layers of any engine.
        images: as in `train`.
        labels: as in `train`.
        recipe: as in `train`.
        seed: as in `train`.
        hooks: the engine's.
        graphed: replay steps as a CUDA graph (`GraphedStep`).
    """
    steps_per_epoch = max(len(images) // recipe.batch, 1)
    steps = recipe.epochs * steps_per_epoch
    chance = math.log(int(labels.max()) + 1)
    network.train()
    step = (GraphedStep if graphed else Step)(network, recipe, hooks)
    loss = lowest = math.inf
    epoch = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for epoch in range(1, recipe.epochs + 1):
            order = torch.randperm(len(images)).to(images.device)
            total = torch.zeros((), device=images.device)
            for index in range(steps_per_epoch):
                progress = ((epoch - 1) * steps_per_epoch + index + 1) / steps
                chosen = order[index * recipe.batch : (index + 1) * recipe.batch]
                batch = _shifted(_flipped(images[chosen], recipe.flip), recipe.shift)
                total += step(batch, labels[chosen], progress)
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


class NativeHooks:
    """Noise strength and weight clipping of native layers."""

    def __init__(self, layers: list[AnalogLayer]) -> None:
        """The layers of a network."""
        self._layers = layers

    def before_step(self, strength: float | Tensor) -> None:
        """See `Hooks`."""
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
