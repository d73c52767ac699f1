"""Hardware-aware training: every step simulates the chip's converters and noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog import kernels
from ohmnas.analog.calibration import check_use
from ohmnas.analog.convert import analog_layers, set_noise, set_precision
from ohmnas.analog.images import Images
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.noise import Noise, noise_source, whole_seed
from ohmnas.analog.norms import averaging, batch_norms
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.snapshot import Snapshot, keep, resume
from ohmnas.analog.step import GraphedStep, Hooks, Step
from ohmnas.errors import DivergedError
from ohmnas.lookup import look_up

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "tf32": torch.float32}
"""Number format -> type of tensors. Inside `precision.tf32`, a GPU multiplies float32 in TensorFloat-32."""


@dataclass(frozen=True, slots=True)
class Training:
    """Result of a training run."""

    losses: tuple[float, ...]
    """Mean loss of each epoch; fewer than the recipe's epochs if training stopped early."""

    @property
    def loss(self) -> float:
        """Mean loss of the last epoch."""
        return self.losses[-1]

    @property
    def epochs(self) -> int:
        """Number of trained epochs."""
        return len(self.losses)


AfterEpoch = Callable[[int], None]
"""Called between two epochs with the number of epochs done. It may read the network but must not change its state."""
Stops = Callable[[int, float], bool]
"""Called between two epochs with the number of epochs done and the last mean loss. True ends the training run."""


def train(
    network: nn.Module,
    images: Images,
    labels: Tensor,
    recipe: Recipe,
    seed: int,
    after_epoch: AfterEpoch | None = None,
    snapshot: Snapshot | None = None,
    stops: Stops | None = None,
) -> Training:
    """Train an analog network in place.

    Args:
        network: an analog network (`convert.to_analog`).
        images: ``(m, channels, height, width)``.
        labels: ``(m,)`` int64.
        recipe: schedule and optimizer.
        seed: random seed.
        after_epoch: called after each epoch but the last.
        snapshot: file that stores the state of the training run between epochs. A stopped training run resumes from it
            and gives the same network as an uninterrupted one, bit for bit.
        stops: called after each epoch but the last, before `after_epoch`.

    Returns:
        The losses of the training run.

    Raises:
        DivergedError: the loss is not finite.
        UnknownNameError: the precision is unknown.
        InvalidValueError: there are no images, a forward pass does not call each analog layer exactly once
            (`calibration.check_use`), or the seed is not a whole number from 0 to 2^63 - 1.
    """
    seed = whole_seed(seed)
    check_use(network, images)
    set_precision(network, look_up("precision", FORMATS, recipe.precision))
    noise = noise_source(seed, images.device)
    set_noise(network, noise)
    hooks = NativeHooks(list(analog_layers(network)))
    graphed = images.device.type == "cuda"
    try:
        return fit(network, images, labels, recipe, seed, hooks, after_epoch, graphed, snapshot, noise, stops)
    finally:
        set_noise(network, None)


def fit(
    network: nn.Module,
    images: Images,
    labels: Tensor,
    recipe: Recipe,
    seed: int,
    hooks: Hooks,
    after_epoch: AfterEpoch | None = None,
    graphed: bool = False,
    snapshot: Snapshot | None = None,
    noise: Noise | None = None,
    stops: Stops | None = None,
) -> Training:
    """Run a recipe with the layers of any engine. All engines share this part of `train`.

    Args:
        network: network with layers of any engine.
        images: as in `train`.
        labels: as in `train`.
        recipe: as in `train`.
        seed: as in `train`.
        hooks: hooks of the engine.
        after_epoch: as in `train`.
        graphed: replay steps as a CUDA graph (`GraphedStep`).
        snapshot: as in `train`; for native layers only.
        noise: the layers' source of noise, whose state the snapshot stores.
        stops: as in `train`.

    Returns:
        The losses of the training run.

    Raises:
        DivergedError: the loss is not finite.
    """
    steps_per_epoch = max(len(images) // recipe.batch, 1)
    steps = recipe.epochs * steps_per_epoch
    chance_loss = math.log(int(labels.max()) + 1)
    network.train()
    step = (GraphedStep if graphed else Step)(network, recipe, hooks)
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mirrored = torch.rand(len(images)).to(images.device) < 0.5
        if snapshot is not None and (before := resume(snapshot, network, step, noise)):
            losses, mirrored = before.losses, before.mirrored.to(images.device)
        for epoch in range(len(losses) + 1, recipe.epochs + 1):
            order = torch.randperm(len(images)).to(images.device)
            mirrored = ~mirrored if recipe.alternate else torch.rand(len(images)).to(images.device) < 0.5
            total = torch.zeros((), device=images.device)
            for index in range(steps_per_epoch):
                progress = ((epoch - 1) * steps_per_epoch + index + 1) / steps
                chosen = order[index * recipe.batch : (index + 1) * recipe.batch]
                batch = images[chosen]
                if recipe.flip:
                    batch = flipped(batch, mirrored[chosen])
                batch = shifted(batch, recipe.shift)
                if progress <= recipe.small_until:
                    batch = functional.avg_pool2d(batch, 2)
                total += step(batch, labels[chosen], progress)
            losses.append(float(total) / steps_per_epoch)
            if not math.isfinite(losses[-1]):
                raise DivergedError(f"the loss was not finite in epoch {epoch} of {recipe.epochs}")
            if epoch >= recipe.hopeless_after * recipe.epochs and min(losses) > recipe.hopeless_loss * chance_loss:
                break
            if stops is not None and epoch < recipe.epochs and stops(epoch, losses[-1]):
                break
            if after_epoch is not None and epoch < recipe.epochs:
                with torch.random.fork_rng(devices=[]):
                    after_epoch(epoch)
                network.train()
            if snapshot is not None and epoch < recipe.epochs and snapshot.due():
                keep(snapshot, network, step, noise, losses, mirrored)
        hooks.before_step(1.0)  # average batch norm statistics with full weight noise
        average_batch_norms(network, images, recipe)
    return Training(tuple(losses))


@torch.no_grad()
def average_batch_norms(network: nn.Module, images: Images, recipe: Recipe) -> None:
    """Replace the running statistics of all batch norms by plain averages under the final, noisy weights.

    Args:
        network: an analog network in training mode, with a source of noise.
        images: training images.
        recipe: sets the number and size of the batches; their images are drawn with torch's global generator. With 0
            batches, nothing changes.
    """
    if not recipe.norm_batches:
        return
    with averaging(batch_norms(network)):
        for _ in range(recipe.norm_batches):
            network(images[torch.randint(len(images), (recipe.batch,)).to(images.device)])


class NativeHooks:
    """Noise strength and weight clipping of native layers."""

    def __init__(self, layers: list[AnalogLayer]) -> None:
        """Store the analog layers whose noise is set before each step."""
        self._layers = layers

    def before_step(self, strength: float | Tensor) -> None:
        """See `Hooks`."""
        for layer in self._layers:
            layer.noise_strength = strength

    @torch.no_grad()
    def after_step(self) -> None:
        """Clip weights at the chip's multiple of their standard deviation (aihwkit's LAYER_GAUSSIAN).

        Each group with its own tiles is clipped separately; a depthwise convolution is clipped as one matrix.
        """
        for layer in self._layers:
            if layer.chip.clip_sigma and kernels.usable(layer.weight):
                kernels.clip_(layer.weight, layer.mapping.clipped_groups, layer.chip.clip_sigma)
            elif layer.chip.clip_sigma:
                groups = layer.weight.view(layer.mapping.clipped_groups, -1)
                limit = groups.std(dim=1, keepdim=True) * layer.chip.clip_sigma
                groups.clamp_(-limit, limit)


def flipped(images: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror the images ``(b, ...)`` for which `mirrored` ``(b,)`` is True."""
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)


def shifted(images: Tensor, shift: tuple[int, int]) -> Tensor:
    """Shift each image by its own random offset of up to `shift` pixels, and pad it with zeros."""
    if not any(shift):
        return images
    (down, right), (count, _, height, width) = shift, images.shape
    padded = functional.pad(images, (right, right, down, down)).permute(0, 2, 3, 1)
    rows = torch.randint(2 * down + 1, (count, 1, 1)) + torch.arange(height)[:, None]
    columns = torch.randint(2 * right + 1, (count, 1, 1)) + torch.arange(width)
    which = torch.arange(count)[:, None, None].to(images.device)
    return padded[which, rows.to(images.device), columns.to(images.device)].permute(0, 3, 1, 2)
