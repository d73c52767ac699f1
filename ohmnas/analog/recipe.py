"""Training recipe: all training settings except the network and its chip."""

from __future__ import annotations

from dataclasses import dataclass

from ohmnas.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Recipe:
    """Training settings: SGD with Nesterov momentum and one learning rate cycle."""

    epochs: int = 40
    """Number of passes over the training images; a `Fidelity` sets it."""
    batch: int = 128
    """Images per step."""
    learning_rate: float = 0.2
    """Peak learning rate, reached after `warmup`; the rate then falls linearly to 0."""
    range_rate: float = 1.0
    """Learning rate of the (logarithmic) input ranges, relative to the learning rate of the weights."""
    warmup: float = 0.2
    """Share of the steps with a rising learning rate."""
    momentum: float = 0.9
    """Nesterov momentum."""
    weight_decay: float = 5e-4
    """Weight decay of weights. Batch norm, biases and input ranges have none."""
    shift: tuple[int, int] = (0, 0)
    """Augmentation: largest vertical and horizontal shift of an image, in pixels; the images are padded with zeros."""
    flip: bool = False
    """Augmentation: half of the images are mirrored."""
    alternate: bool = True
    """Mirror each image in every second epoch, from the first or the second epoch on, instead of at random (K. Jordan,
    *94% on CIFAR-10 in 3.29 seconds on a single GPU*, 2024)."""
    small_until: float = 0.0
    """Share of the steps with images averaged to half their side length (progressive resolution)."""
    label_smoothing: float = 0.0
    """Share of each label that is spread evenly over all classes."""
    gradient_norm: float = 2.0
    """Gradients are clipped to this norm; otherwise, deep networks without skips diverge in the first steps."""
    noise_from: float = 0.3
    """Share of the steps without weight noise, at the start of training."""
    noise_full: float = 0.6
    """Share of the steps after which the weight noise has its full strength; it grows linearly from `noise_from` on."""
    hopeless_after: float = 0.5
    """Share of the epochs after which a training run stops if its loss was at chance level in every epoch so far."""
    hopeless_loss: float = 0.98
    """An epoch is at chance level if its mean loss is above this multiple of the loss of uniform guessing."""
    precision: str = "float32"
    """Number format of convolutions in training and reading: float32, bfloat16 (CPU) or tf32 (GPU)."""
    norm_batches: int = 10
    """Number of batches of unshifted images over which the final batch norm statistics are averaged, with weight noise.
    The running statistics would include the shifts, and the weight noise of only the last steps. 0 keeps them."""

    def __post_init__(self) -> None:
        """Check `warmup`, `noise_from` and `noise_full`.

        Raises:
            InvalidValueError: the learning rate would never rise or never fall, or the noise would jump.
        """
        if not 0.0 < self.warmup < 1.0:
            raise InvalidValueError(f"warmup must be a share of the steps between 0 and 1, not {self.warmup:g}")
        if not self.noise_from < self.noise_full:
            raise InvalidValueError(
                f"weight noise must start before it is full, but noise_from is {self.noise_from:g} and noise_full "
                f"{self.noise_full:g}"
            )

    def rate(self, progress: float) -> float:
        """Learning rate at `progress`, a share of the steps in (0, 1]."""
        return self.learning_rate * min(progress / self.warmup, (1 - progress) / (1 - self.warmup))

    def noise(self, progress: float) -> float:
        """Strength of the weight noise at `progress`, a share of the steps, relative to the chip's `training_noise`."""
        return min(max((progress - self.noise_from) / (self.noise_full - self.noise_from), 0.0), 1.0)
