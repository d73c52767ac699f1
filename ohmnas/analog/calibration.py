"""Calibrate the input ranges of a network that was trained before its conversion."""

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

    The range of a layer that reads the images is their largest absolute value. The range of any other layer is the root
    mean square of its input, averaged over batches, times a factor: `layers.RANGE_MULTIPLE`, or the factor that the
    layer learned in training. The network is in evaluation mode afterwards.

    Args:
        network: an analog network (`convert.to_analog`).
        images: ``(m, channels, height, width)``, prepared as in training; up to 1,280 are used.
        batch_norm: also replace the batch norm statistics with averages over these images.

    Raises:
        InvalidValueError: there are no images, or a forward pass does not call each analog layer exactly once.
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
    """Forward pre-hook that calibrates a layer. All batches have the same weight in the average."""

    def __init__(self) -> None:
        self._batches = 0

    def __call__(self, layer: AnalogLayer, inputs: tuple[Tensor]) -> None:
        self._batches += 1
        layer.calibrate(inputs[0], 1.0 / self._batches)


def check_use(network: nn.Module, images: Images) -> None:
    """Check that a forward pass calls each analog layer exactly once, and find the layers that read images.

    The forward pass uses two images. A layer has only one input range, so it can serve only one input. If a layer is
    never called, other code may use its weights directly, without the tiles. The check also sets `reads_images` of each
    layer.

    Raises:
        InvalidValueError: there are no images, or a layer is called several times or never; the message names these
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
    wrong = [f"{layer.path} ({layer.kind}) {calls[layer]} times" for layer in layers if calls[layer] != 1]
    if wrong:
        raise InvalidValueError(
            f"a forward pass must call each analog layer exactly once, but it called {', '.join(wrong)}; list the "
            "paths of these layers in keep_digital of to_analog"
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
