"""The noise model of a chip's devices."""

from __future__ import annotations

import warnings

import numpy as np
from aihwkit.inference.noise import reram
from aihwkit.inference.noise.base import BaseNoiseModel
from torch import Tensor

from ohmnas.hardware import TECHNOLOGIES, Hardware

# HermesNoiseModel indexes with a list of one mask; torch accepts it with a warning
warnings.filterwarnings("ignore", "Using a non-tuple sequence for multidimensional indexing", UserWarning)


class ReRamCMONoiseModel(reram.ReRamCMONoiseModel):  # type: ignore[misc]
    """Aihwkit's model, extended to devices that relax below zero conductance.

    Read noise is proportional to the logarithm of the conductance, so aihwkit's model returns NaN for these devices.
    This model sets them to the smallest conductance, `g_min`. Aihwkit already does this for all other devices below
    `g_min`.
    """

    def apply_drift_noise_to_conductance(self, g_prog: Tensor, drift_noise_param: Tensor, t_inference: float) -> Tensor:
        """Conductances `t_inference` seconds after programming, in uS."""
        with np.errstate(invalid="ignore", divide="ignore"):  # aihwkit takes NumPy's logarithm of a tensor
            relaxed: Tensor = super().apply_drift_noise_to_conductance(g_prog, drift_noise_param, t_inference)
        return relaxed.nan_to_num_(nan=self.g_min)


def noise_model(chip: Hardware) -> BaseNoiseModel:
    """The noise model of the chip's technology with the chip's scales of noise and drift.

    Raises:
        UnknownNameError: the technology is not registered in this process.
        MissingDependencyError: the module of the noise model cannot be imported.
    """
    return TECHNOLOGIES[chip.technology].load()(
        g_max=chip.g_max,
        prog_noise_scale=chip.programming_noise,
        read_noise_scale=chip.read_noise,
        drift_scale=chip.drift,
    )
