"""The noise model of a chip's devices."""

from __future__ import annotations

import warnings

from aihwkit.inference.noise.base import BaseNoiseModel

from ohmnas.hardware import TECHNOLOGIES, Hardware

# HermesNoiseModel indexes with a list of one mask, which torch takes as that mask, but complains about
warnings.filterwarnings("ignore", "Using a non-tuple sequence for multidimensional indexing", UserWarning)


def noise_model(chip: Hardware) -> BaseNoiseModel:
    """The noise model of the chip's technology with the chip's scales of noise and drift.

    Raises:
        UnknownNameError: there is no such technology in this process.
        MissingDependencyError: the module of the noise model cannot be imported.
    """
    return TECHNOLOGIES[chip.technology].load()(
        g_max=chip.g_max,
        prog_noise_scale=chip.programming_noise,
        read_noise_scale=chip.read_noise,
        drift_scale=chip.drift,
    )
