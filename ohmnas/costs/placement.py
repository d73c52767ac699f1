"""Placement of one network on the crossbar tiles of a chip, layer by layer, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ohmnas.costs.conversion import Conversion
from ohmnas.costs.crossbar import crossbar_costs, tile_parts
from ohmnas.spaces.layers import Layers


@dataclass(frozen=True, slots=True)
class Placement:
    """All layers of one kind in one network, on a chip."""

    kind: int
    """Index of the kind: column of `Layers`."""
    count: int
    """Number of layers."""
    inputs: int
    """Rows of each weight matrix."""
    outputs: int
    """Columns of each weight matrix; layers that are placed side by side are one matrix."""
    matrices: int
    """Number of weight matrices; they share no tile."""
    parts: tuple[int, int]
    """Rows and columns of tiles of each matrix."""
    params: int
    """Number of trainable parameters, on tiles and digital."""
    macs: int
    """Multiply-accumulates per image."""
    energy: float
    """Energy in joules per image: the network's energy, divided in proportion to the conversions; a proxy."""

    @property
    def tiles(self) -> int:
        """Number of crossbar tiles."""
        return self.matrices * self.parts[0] * self.parts[1]


def placements(
    layers: Layers,
    hardware: Mapping[str, float],
    conversion: Conversion = Conversion(),  # noqa: B008 - immutable
) -> list[Placement]:
    """Return the placement of each kind of layer of one network; their costs add up to `crossbar_costs`.

    Args:
        layers: layers of one network.
        hardware: `Hardware.settings()`.
        conversion: assumptions behind the energy.
    """
    sides = (np.array(int(hardware[f"hw_tile_{side}"]), dtype=np.int64) for side in ("rows", "columns"))
    whole, tiling = crossbar_costs(layers, hardware, conversion), layers.tiling()
    row_parts, column_parts = tile_parts(layers.inputs, tiling.outputs, tiling.groups, *sides)
    per_conversion = float(whole.energy[0]) / float(whole.conversions[0])
    found = []
    for kind in np.flatnonzero(layers.count[0]).tolist():
        count, inputs, outputs, positions, digital = (
            int(of[0, kind]) for of in (layers.count, layers.inputs, layers.outputs, layers.positions, layers.digital)
        )
        matrices, columns = int(tiling.matrices[0, kind]), int(tiling.outputs[0, kind])
        parts = int(row_parts[0, kind]), int(column_parts[0, kind])
        weights = count * inputs * outputs
        energy = count * parts[0] * outputs * positions * per_conversion
        params, macs = weights + count * digital, weights * positions
        found.append(Placement(kind, count, inputs, columns, matrices, parts, params, macs, energy))
    return found
