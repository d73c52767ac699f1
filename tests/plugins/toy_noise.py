"""A noise model that aihwkit does not have: the same noise and the same drift at every conductance."""

from __future__ import annotations

import torch
from aihwkit.inference.converter.conductance import SinglePairConductanceConverter
from aihwkit.inference.noise.base import BaseNoiseModel
from torch import Tensor


class ToyNoiseModel(BaseNoiseModel):  # type: ignore[misc]
    def __init__(
        self, g_max: float, prog_noise_scale: float = 1.0, read_noise_scale: float = 1.0, drift_scale: float = 1.0
    ) -> None:
        super().__init__(SinglePairConductanceConverter(g_max=g_max))
        self.g_max = g_max
        self.prog_noise_scale, self.read_noise_scale, self.drift_scale = prog_noise_scale, read_noise_scale, drift_scale

    def apply_programming_noise_to_conductance(self, g_target: Tensor) -> Tensor:
        noise = 0.02 * self.g_max * self.prog_noise_scale * torch.randn_like(g_target)
        return (g_target + noise).clamp(min=0.0)

    def generate_drift_coefficients(self, g_target: Tensor) -> Tensor:
        return self.drift_scale * (0.05 + 0.01 * torch.randn_like(g_target))

    def apply_drift_noise_to_conductance(self, g_prog: Tensor, drift_noise_param: Tensor, t_inference: float) -> Tensor:
        drifted = g_prog * (t_inference + 1.0) ** -drift_noise_param
        read: Tensor = drifted + 0.01 * self.read_noise_scale * drifted * torch.randn_like(drifted)
        return read.clamp(min=0.0)
