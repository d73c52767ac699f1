"""The devices of a technology, as aihwkit models them."""

from __future__ import annotations

from aihwkit.inference.noise.base import BaseNoiseModel
from aihwkit.inference.noise.pcm import PCMLikeNoiseModel

from ohmnas.spaces.hardware import Hardware


def noise_model(chip: Hardware) -> BaseNoiseModel:
    """Aihwkit's noise model of the chip's devices.

    `pcm`: programming noise, drift and read noise fitted to measured phase-change devices (Nandakumar et al., ICECS
    2019), one pair of devices a weight.
    """
    return PCMLikeNoiseModel(
        g_max=chip.g_max,
        prog_noise_scale=chip.programming_noise,
        read_noise_scale=chip.read_noise,
        drift_scale=chip.drift,
    )
