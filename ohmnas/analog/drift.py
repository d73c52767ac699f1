"""Accuracy over time: program chips with a trained network, and read each chip at several times."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ohmnas.analog.calibration import warn_uncalibrated
from ohmnas.analog.chip import Chip, ProgrammingTargets
from ohmnas.analog.convert import analog_layers, check_chip, set_mode, set_noise
from ohmnas.analog.images import Images
from ohmnas.analog.noise import noise_source, whole_seed
from ohmnas.analog.norms import average_statistics, saved_statistics
from ohmnas.analog.spread import Spread
from ohmnas.errors import InvalidValueError, shown
from ohmnas.hardware import Hardware

TIMES: Final = {"1s": 1.0, "1h": 3600.0, "1d": 86400.0, "1mo": 30 * 86400.0}
"""Name -> seconds after programming. AVM is the accuracy at the first time minus the accuracy at the last."""
AGAIN: Final = "1d"
"""Name of the time at which each chip is read twice, to separate read noise from lasting differences between chips."""
EVALUATION_PIXELS: Final = 1 << 17
"""Largest number of pixels per batch on a CPU, so the activations fit into the cache."""
EVALUATION_BATCH: Final = 512
"""Largest number of images per batch."""


@dataclass(frozen=True, slots=True)
class Readings:
    """True where a programmed chip classified an image correctly."""

    correct: npt.NDArray[np.bool_]
    """``(chips, t, m)``: by chip, time (`TIMES`) and image."""
    again: npt.NDArray[np.bool_]
    """``(chips, m)``: a second reading of each chip a day after programming, with its own read noise."""

    @property
    def accuracies(self) -> npt.NDArray[np.float64]:
        """``(chips, t)``: one row per chip, so differences within a row are paired."""
        found: npt.NDArray[np.float64] = self.correct.mean(axis=2)
        return found

    @property
    def spread(self) -> Spread:
        """Causes of the spread over chips a day after programming."""
        return Spread.of(self.correct[:, list(TIMES).index(AGAIN)], self.again)


@torch.no_grad()
def correct(network: nn.Module, images: Images, labels: Tensor) -> Tensor:
    """``(m,)`` bool: True for images that the network classifies correctly. Leaves the network in evaluation mode."""
    network.eval()
    batch = EVALUATION_BATCH
    if images.device.type == "cpu":
        batch = max(1, min(batch, EVALUATION_PIXELS // (images.shape[-2] * images.shape[-1])))
    right = torch.empty(len(labels), dtype=torch.bool, device=labels.device)
    for start in range(0, len(labels), batch):
        part = slice(start, start + batch)
        torch.eq(network(images[part]).argmax(dim=1), labels[part], out=right[part])
    return right


@torch.no_grad()
def accuracy(network: nn.Module, images: Images, labels: Tensor) -> float:
    """Fraction of images that the network classifies correctly. Leaves the network in evaluation mode."""
    return float(correct(network, images, labels).double().mean())


def digital_accuracy(network: nn.Module, images: Images, labels: Tensor, calibration: Images | None = None) -> float:
    """Accuracy in exact arithmetic, without a chip. Values still saturate, as in training (`layers.Mode`).

    Args:
        network: a trained analog network.
        images: ``(m, channels, height, width)``.
        labels: ``(m,)``.
        calibration: training images for batch norm statistics in exact arithmetic. None keeps the trained statistics,
            which include training noise.

    Warns:
        UserWarning: the network's input ranges are not calibrated (`calibration.calibrate`).
    """
    warn_uncalibrated(network)
    set_mode(network, "digital")
    try:
        with saved_statistics(network):
            if calibration is not None:
                average_statistics(network, calibration)
            return accuracy(network, images, labels)
    finally:
        set_mode(network, "analog")


@torch.no_grad()
def read_over_time(
    network: nn.Module,
    chip: Hardware,
    images: Images,
    labels: Tensor,
    chips: int,
    seed: int,
    calibration: Images | None = None,
) -> Readings:
    """Program chips with a trained analog network, and read each chip at several times.

    Args:
        network: a trained analog network (`convert.to_analog`).
        chip: the hardware to program; the network must have been converted for its tiles and converters.
        images: ``(m, channels, height, width)``, prepared as in training.
        labels: ``(m,)``.
        chips: number of chips to program.
        seed: random seed.
        calibration: training images for adaptive batch norm, which averages the statistics over the first of them
            before each reading (`norms.average_statistics`).

    Raises:
        InvalidValueError: the network was converted for another chip (`convert.check_chip`), the chip's batch norm is
            adaptive and there are no calibration images, or the number of chips or the seed is invalid.

    Warns:
        UserWarning: the network's input ranges are not calibrated (`calibration.calibrate`).
    """
    seed = whole_seed(seed)
    check_chip(network, chip)
    warn_uncalibrated(network)
    targets = ProgrammingTargets.of(network)

    def program() -> Callable[[float], None]:
        one = Chip(targets, chip)
        return lambda seconds: one.load_into(network, seconds)

    set_noise(network, noise_source(seed, images.device))
    try:
        with torch.random.fork_rng(devices=[]), saved_statistics(network):
            torch.manual_seed(seed)
            return readings(network, program, chip, images, labels, chips, calibration)
    finally:  # a limit on time or memory may stop the reading; the network must not keep this chip's weights
        for layer in analog_layers(network):
            layer.unload()
        set_noise(network, None)


def readings(
    network: nn.Module,
    program: Callable[[], Callable[[float], None]],
    chip: Hardware,
    images: Images,
    labels: Tensor,
    chips: int,
    calibration: Images | None,
) -> Readings:
    """Like `read_over_time`, for the layers of any engine. Batch norm statistics may change.

    Args:
        network: network with layers of any engine.
        program: programs one chip and returns a function. Called with the seconds since programming, the returned
            function loads the chip's weights at that time into the network.
        chip: as in `read_over_time`.
        images: as in `read_over_time`.
        labels: as in `read_over_time`.
        chips: as in `read_over_time`.
        calibration: as in `read_over_time`.

    Raises:
        InvalidValueError: the number of chips is not at least 1, or the chip's batch norm is adaptive and there are no
            calibration images.
    """
    chips = _count(chips)
    adaptive = chip.batch_norm == "adaptive"
    if adaptive and calibration is None:
        raise InvalidValueError("adaptive batch norm needs calibration images")
    right = np.empty((chips, len(TIMES), len(labels)), dtype=np.bool_)
    again = np.empty((chips, len(labels)), dtype=np.bool_)
    for row in range(chips):
        age = program()

        def read(seconds: float, age: Callable[[float], None] = age) -> npt.NDArray[np.bool_]:
            age(seconds)
            if adaptive and calibration is not None:
                average_statistics(network, calibration)
            found: npt.NDArray[np.bool_] = correct(network, images, labels).cpu().numpy()
            return found

        for column, (name, seconds) in enumerate(TIMES.items()):
            right[row, column] = read(seconds)
            if name == AGAIN:
                again[row] = read(seconds)
    return Readings(right, again)


def _count(chips: object) -> int:
    if isinstance(chips, bool) or not isinstance(chips, Integral) or int(chips) < 1:
        raise InvalidValueError(f"the number of chips must be a whole number, at least 1, not {shown(chips)}")
    return int(chips)


def accuracy_over_time(
    network: nn.Module, chip: Hardware, images: Images, labels: Tensor, chips: int, seed: int
) -> npt.NDArray[np.float64]:
    """``(chips, t)``: the accuracies of `read_over_time`, one row per chip.

    Args:
        network: as in `read_over_time`.
        chip: as in `read_over_time`, but without adaptive batch norm, which needs calibration images.
        images: as in `read_over_time`.
        labels: as in `read_over_time`.
        chips: as in `read_over_time`.
        seed: as in `read_over_time`.

    Raises:
        InvalidValueError: the network was converted for another chip (`convert.check_chip`), the chip's batch norm is
            adaptive, or the number of chips or the seed is invalid.

    Warns:
        UserWarning: the network's input ranges are not calibrated (`calibration.calibrate`).
    """
    return read_over_time(network, chip, images, labels, chips, seed).accuracies


@torch.no_grad()
def accuracy_of_one_chip(
    network: nn.Module, chip: Hardware, images: Images, labels: Tensor, seed: int, seconds: float = TIMES["1d"]
) -> float:
    """Accuracy of one newly programmed chip, `seconds` after programming; for learning curves.

    The network's noise source and batch norm statistics do not change, so training can continue. For the same reason, a
    chip with adaptive batch norm is read with the trained statistics, unlike in `read_over_time`.

    Raises:
        InvalidValueError: the network was converted for another chip (`convert.check_chip`), the seed is invalid, or
            `seconds` is not finite or is below 1, the earliest time at which devices were measured.

    Warns:
        UserWarning: the network's input ranges are not calibrated (`calibration.calibrate`).
    """
    if not 1.0 <= seconds < math.inf:
        raise InvalidValueError(f"seconds must be finite and at least 1, not {seconds}: no device was measured earlier")
    seed = whole_seed(seed)
    check_chip(network, chip)
    warn_uncalibrated(network)
    layers = list(analog_layers(network))
    sources = [layer.noise for layer in layers]
    set_noise(network, noise_source(seed, images.device))
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            Chip(ProgrammingTargets.of(network), chip).load_into(network, seconds)
            return accuracy(network, images, labels)
    finally:
        for layer, source in zip(layers, sources, strict=True):
            layer.unload()
            layer.noise = source
