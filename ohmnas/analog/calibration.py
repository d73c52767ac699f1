"""Set input ranges from images, for a network trained before its conversion."""

from __future__ import annotations

import warnings
from collections import Counter

import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers
from ohmnas.analog.images import Images
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.norms import average_statistics, calibration_batches
from ohmnas.errors import InvalidValueError


def calibrate(network: nn.Module, images: Images, batch_norm: bool = False) -> None:
    """Set the input range of each analog layer from images; training does this automatically.

    A layer that reads the images gets their largest absolute value as its range. The others get a multiple of the root
    mean square of their input (`layers.RANGE_MULTIPLE`, or the learned one), averaged over batches. The network is in
    evaluation mode afterwards.

    Args:
        network: an analog network (`convert.to_analog`).
        images: ``(m, channels, height, width)``, prepared as in training; up to 1,280 are used.
        batch_norm: also replace the batch norm statistics by averages over these images.

    Raises:
        InvalidValueError: there are no images, or a layer is used several times or not at all.
    """
    check_use(network, images)
    layers = list(analog_layers(network))
    handles = [layer.register_forward_pre_hook(_Average()) for layer in layers]
    try:
        if batch_norm:
            average_statistics(network, images)
        else:
            network.eval()
            with torch.no_grad():
                for batch in calibration_batches(images):
                    network(batch)
    finally:
        for handle in handles:
            handle.remove()


class _Average:
    """Forward pre-hook: averages the statistic that sets a layer's input range; all batches have equal weights."""

    def __init__(self) -> None:
        self._batches = 0

    def __call__(self, layer: AnalogLayer, inputs: tuple[Tensor]) -> None:
        self._batches += 1
        layer.calibrate(inputs[0], 1.0 / self._batches)


def check_use(network: nn.Module, images: Images) -> None:
    """Check with two images that each analog layer is called exactly once in a forward pass.

    A tile has one input range, for one input. If a layer is never called, other code may use its weights and compute
    digitally.

    Raises:
        InvalidValueError: there are no images, or a layer is used several times or not at all; the message names these
            layers.
    """
    if not len(images):
        raise InvalidValueError("there are no images")
    layers = list(analog_layers(network))
    calls: Counter[AnalogLayer] = Counter()

    def note(layer: AnalogLayer, inputs: tuple[Tensor]) -> None:
        calls[layer] += 1
        layer.reads_images = not inputs[0].requires_grad

    modes = {module: module.training for module in network.modules()}
    handles = [layer.register_forward_pre_hook(note) for layer in layers]
    network.eval()
    try:
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            network(images[:2])
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    wrong = [f"{layer.path} ({layer.kind}): {calls[layer]} times" for layer in layers if calls[layer] != 1]
    if wrong:
        raise InvalidValueError(
            "each analog layer must be used once for an image, but these are not: "
            f"{', '.join(wrong)}; list their paths in keep_digital of to_analog"
        )


def warn_uncalibrated(network: nn.Module) -> None:
    """Warn if a layer clips its inputs at a range that was never calibrated."""
    names = [layer.path for layer in analog_layers(network) if not layer.calibrated]
    if names:
        warnings.warn(
            f"the input ranges of {', '.join(names)} are not calibrated, so inputs are clipped at a fixed value: "
            "train the network, or call ohmnas.analog.calibration.calibrate",
            stacklevel=3,
        )
