"""One simulated chip: a network's weights are programmed once and can be read at any later time.

Notation: the network has ``w`` weights, ``q`` columns (each holds a part of the weights of one output) and ``u`` tiles,
all in the order of the layers. Programming and reading follow aihwkit's inference tile
(`InferenceTileWithPeriphery.program_weights`, `drift_weights`) and use aihwkit's noise models. A single call of the
noise model covers all tiles of the network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from aihwkit.inference.converter.conductance import SingleDeviceConductanceConverter
from aihwkit.inference.noise.base import BaseNoiseModel
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers
from ohmnas.analog.device import noise_model
from ohmnas.hardware import Hardware

_SMALLEST_READOUT = 1e-4
"""Floor of a tile's mean readout, as in aihwkit's `GlobalDriftCompensation`."""


@dataclass(frozen=True, slots=True)
class ProgrammingTargets:
    """Target weights of a trained network, in units of their column's scale."""

    weights: Tensor
    """``(w,)``, in [-1, 1]."""
    column_scale: Tensor
    """``(q,)``: largest absolute weight of each column."""
    tile_of_weight: Tensor
    """``(w,)``: index of each weight's tile, counted over the whole network."""
    tile_of_column: Tensor
    """``(q,)``: index of each column's tile."""
    tiles: int
    """u: number of tiles."""

    @classmethod
    def of(cls, network: nn.Module) -> ProgrammingTargets:
        """Collect the targets of all analog layers of a network."""
        weights, scales, weight_tiles, column_tiles, tiles = [], [], [], [], 0
        for layer in analog_layers(network):
            mapping = layer.mapping
            scale = mapping.column_scale(layer.weight)
            tile = mapping.tile_of_column().to(scale.device) + tiles
            weights.append((layer.weight.detach().flatten(1) / mapping.expand(scale)).flatten())
            scales.append(scale.flatten())
            weight_tiles.append(mapping.expand(tile).flatten())
            column_tiles.append(tile.flatten())
            tiles += mapping.tiles
        return cls(torch.cat(weights), torch.cat(scales), torch.cat(weight_tiles), torch.cat(column_tiles), tiles)

    def tile_mean(self, per_weight: Tensor) -> Tensor:
        """``(w,)`` -> ``(u,)``: mean over the weights of each tile."""
        total = torch.zeros(self.tiles, device=per_weight.device).index_add_(0, self.tile_of_weight, per_weight)
        return total / torch.bincount(self.tile_of_weight, minlength=self.tiles)

    def tile_max(self, per_weight: Tensor) -> Tensor:
        """``(w,)`` -> ``(u,)``: maximum over the weights of each tile."""
        lowest = torch.full((self.tiles,), -math.inf, device=per_weight.device)
        return lowest.scatter_reduce_(0, self.tile_of_weight, per_weight, "amax")


class Chip:
    """One programming event: programming noise and drift exponents are drawn once and shared by all reads."""

    def __init__(self, targets: ProgrammingTargets, chip: Hardware) -> None:
        """Program all tiles. Like aihwkit, this draws from torch's global random generator."""
        self.targets = targets
        self.hardware = chip
        self._model: BaseNoiseModel = noise_model(chip)
        self._paired = not isinstance(self._model.g_converter, SingleDeviceConductanceConverter)
        offset, scale = self._ranges(targets.weights)
        programmed, exponents = self._model.apply_programming_noise(((targets.weights - offset) / scale)[None])
        self.programmed: Tensor = programmed[0] * scale + offset
        """``(w,)``: weights right after programming, in units of their column's scale."""
        self.drift_exponents: list[Tensor] = exponents
        """Drift exponents: a tensor ``(1, w)`` for each device of a weight. For `reram`, the target conductances, which
        its noise model does not use."""
        self._offset, self._scale = self._ranges(self.programmed)
        self._baseline = self._readout(self.programmed)

    def _ranges(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Offset (``(w,)`` or a scalar) and scale ``(w,)`` that map the weights of every tile to the same range.

        Aihwkit converts the weights of one tile to conductances. With a pair of devices per weight, it maps the largest
        absolute weight to g_max. With single devices, it maps the smallest weight to g_min and the largest to g_max.
        Once all tiles have the same range, they can be converted as one tensor.
        """
        targets = self.targets
        if self._paired:
            scale = targets.tile_max(weights.abs()).clamp_(min=1e-7)
            return torch.zeros((), device=weights.device), scale[targets.tile_of_weight]
        low, high = -targets.tile_max(-weights), targets.tile_max(weights)
        return low[targets.tile_of_weight], (high - low).clamp_(min=1e-7)[targets.tile_of_weight]

    def weights_at(self, seconds: float) -> Tensor:
        """``(w,)``: weights `seconds` after programming, with this chip's drift and new read noise."""
        scaled = ((self.programmed - self._offset) / self._scale)[None]
        weights: Tensor = self._model.apply_drift_noise(scaled, self.drift_exponents, seconds)[0]
        return weights * self._scale + self._offset

    def compensation(self, weights: Tensor) -> Tensor:
        """``(u,)``: factors that compensate for each tile's mean decay since programming; 1 if compensation is off."""
        if not self.hardware.drift_compensation:
            return torch.ones(self.targets.tiles, device=weights.device)
        return self._baseline / self._readout(weights)

    def _readout(self, weights: Tensor) -> Tensor:
        """``(u,)``: mean absolute output of each tile for one-hot inputs, with output noise, rounding and bound."""
        chip = self.hardware
        read = weights + chip.output_noise * torch.randn_like(weights) if chip.output_noise else weights
        if chip.adc_bits:
            step = chip.adc_bound / (2.0 ** (chip.adc_bits - 1) - 1)
            read = (read / step).round_().mul_(step).clamp_(-chip.adc_bound, chip.adc_bound)
        return self.targets.tile_mean(read.abs()).clamp_(min=_SMALLEST_READOUT)

    def load_into(self, network: nn.Module, seconds: float) -> None:
        """Load the chip's weights into the network, as read `seconds` after programming."""
        weights = self.weights_at(seconds)
        targets = self.targets
        gain = targets.column_scale * self.compensation(weights)[targets.tile_of_column]
        first_weight = first_column = 0
        for layer in analog_layers(network):
            mapping = layer.mapping
            size, columns = mapping.outputs * mapping.inputs, mapping.outputs * len(mapping.row_parts)
            layer.load(
                weights[first_weight : first_weight + size].view(mapping.outputs, mapping.inputs),
                gain[first_column : first_column + columns].view(mapping.outputs, -1),
            )
            first_weight += size
            first_column += columns
