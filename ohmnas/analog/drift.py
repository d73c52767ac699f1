"""Accuracy over time: program chips of a trained network, read each of them at several times."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ohmnas.analog.chip import Chip, Targets
from ohmnas.analog.convert import analog_layers, set_mode, set_noise
from ohmnas.analog.images import Images
from ohmnas.analog.noise import noise_source
from ohmnas.spaces.hardware import Hardware

TIMES: Final = {"1s": 1.0, "1h": 3600.0, "1d": 86400.0, "1mo": 30 * 86400.0}
"""Name -> seconds after programming; AVM is the accuracy at the first minus that at the last."""
EVALUATION_PIXELS: Final = 1 << 17
"""Pixels of the images that are computed at once on a CPU; their activations then stay near the processor."""
EVALUATION_BATCH: Final = 512
"""Images that are computed at once at most."""


@torch.no_grad()
def accuracy(network: nn.Module, images: Images, labels: Tensor) -> float:
    """Fraction of images that the network classifies right, in evaluation mode."""
    network.eval()
    batch = EVALUATION_BATCH
    if images.device.type == "cpu":
        batch = max(1, min(batch, EVALUATION_PIXELS // (images.shape[-2] * images.shape[-1])))
    right = torch.zeros((), dtype=torch.int64, device=labels.device)
    for start in range(0, len(labels), batch):
        part = slice(start, start + batch)
        right += (network(images[part]).argmax(dim=1) == labels[part]).sum()
    return int(right) / len(labels)


def digital_accuracy(network: nn.Module, images: Images, labels: Tensor) -> float:
    """Accuracy of the network computed exactly, without any chip."""
    set_mode(network, "digital")
    result = accuracy(network, images, labels)
    set_mode(network, "analog")
    return result


@torch.no_grad()
def accuracy_over_time(
    network: nn.Module, chip: Hardware, images: Images, labels: Tensor, chips: int, seed: int
) -> npt.NDArray[np.float64]:
    """Measure chips of a trained analog network.

    Args:
        network: an analog network (`convert.to_analog`), trained.
        chip: the hardware to program.
        images: ``(m, channels, height, width)``, prepared as in training.
        labels: ``(m,)``.
        chips: how many programming events.
        seed: everything drawn follows from it.

    Returns:
        ``(chips, t)``: accuracy of each chip at each of `TIMES`; a row is one chip, so differences in it are paired.
    """
    result = np.empty((chips, len(TIMES)))
    targets = Targets.of(network)
    set_noise(network, noise_source(seed, images.device))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for row in range(chips):
            one = Chip(targets, chip)
            for column, seconds in enumerate(TIMES.values()):
                one.load_into(network, seconds)
                result[row, column] = accuracy(network, images, labels)
    for layer in analog_layers(network):
        layer.unload()
    set_noise(network, None)
    return result
