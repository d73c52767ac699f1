"""The training recipe: what decides how a network learns, apart from the network and its chip."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum and one cycle of the learning rate."""

    epochs: int = 40
    """Passes over the training images; a `Fidelity` says how many."""
    batch: int = 128
    """Images a step."""
    learning_rate: float = 0.2
    """Peak of the cycle, reached after `warmup`, from where it falls to 0 linearly."""
    range_rate: float = 1.0
    """Learning rate of the layers' input ranges (their logarithms), relative to that of the weights."""
    warmup: float = 0.2
    """Share of the steps in which the learning rate rises."""
    momentum: float = 0.9
    """Nesterov momentum."""
    weight_decay: float = 5e-4
    """On weights; batch norm and bias have none."""
    shift: tuple[int, int] = (0, 0)
    """Augmentation: each image moves by up to so many pixels down and right, or up and left; zeros come in."""
    flip: bool = False
    """Augmentation: half of the images are mirrored."""
    alternate: bool = True
    """Mirror each image in every second epoch, from the first or the second, instead of at random (K. Jordan,
    *94% on CIFAR-10 in 3.29 seconds on a single GPU*, 2024)."""
    small_until: float = 0.0
    """Share of the steps in which images are averaged down to half their sides (progressive resolution)."""
    label_smoothing: float = 0.0
    """Share of the label that is spread evenly over all classes."""
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
    """Of the convolutions, in training and in all readings after it: float32, bfloat16 (CPU) or tf32 (GPU)."""
    norm_batches: int = 10
    """Noisy batches of unshifted images over which the final batch norm statistics are averaged. The running ones hold
    the shifts and the weight noise of the last few steps, which no chip has. 0: the running ones stay."""

    def rate(self, progress: float) -> float:
        """The learning rate after this share of the steps, in (0, 1]."""
        return self.learning_rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))

    def noise(self, progress: float) -> float:
        """The weight noise after this share of the steps, relative to the chip's."""
        return min(max((progress - self.noise_from) / (self.noise_full - self.noise_from), 0.0), 1.0)
