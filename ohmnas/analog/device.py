"""The devices of a technology, as aihwkit models them."""

from __future__ import annotations

import warnings

from aihwkit.inference.noise.base import BaseNoiseModel
from aihwkit.inference.noise.hermes import HermesNoiseModel
from aihwkit.inference.noise.pcm import PCMLikeNoiseModel
from aihwkit.inference.noise.reram import ReRamCMONoiseModel

from ohmnas.spaces.hardware import Hardware

MODELS = {"pcm": PCMLikeNoiseModel, "hermes": HermesNoiseModel, "reram": ReRamCMONoiseModel}
"""Technology -> aihwkit's model of its devices."""

# HermesNoiseModel indexes with a list of one mask, which torch takes as that mask, but complains about
warnings.filterwarnings("ignore", "Using a non-tuple sequence for multidimensional indexing", UserWarning)


def noise_model(chip: Hardware) -> BaseNoiseModel:
    """Aihwkit's noise model of the chip's devices.

    `pcm`: programming noise, drift and read noise fitted to measured phase-change devices (Nandakumar et al., ICECS
    2019), one pair of devices a weight. `hermes`: the same, fitted to IBM's 64-core chip (Le Gallo et al., Nature
    Electronics 2023), two devices for each sign. `reram`: filamentary conductive-metal-oxide/HfOx devices (Falcone et
    al., IBM Research Zurich), one device a weight between two conductances; what relaxes is drawn anew at each reading,
    so that two readings of one chip share its programming only.
    """
    return MODELS[chip.technology](
        g_max=chip.g_max,
        prog_noise_scale=chip.programming_noise,
        read_noise_scale=chip.read_noise,
        drift_scale=chip.drift,
    )
