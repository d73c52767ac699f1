"""Place the layers of one network on a chip's crossbar tiles, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ohmnas.costs.conversion import Conversion
from ohmnas.costs.crossbar import crossbar_costs, tile_parts
from ohmnas.spaces.layers import Layers


@dataclass(frozen=True, slots=True)
class Placement:
    """Placement of all layers of one kind."""

    kind: int
    """Index of the kind: its column in `Layers`."""
    count: int
    """Number of layers."""
    inputs: int
    """Rows of each weight matrix; for grouped layers, of one group."""
    outputs: int
    """Columns of each weight matrix. Layers that are placed side by side count as one matrix."""
    matrices: int
    """Number of weight matrices; they share no tile."""
    parts: tuple[int, int]
    """Number of rows of tiles and number of columns of tiles of each matrix."""
    params: int
    """Number of trainable parameters: weights on tiles and digital parameters."""
    macs: int
    """Multiply-accumulates per image."""
    energy: float
    """Energy in joules per image, a proxy: these layers' share of the network's energy, by number of conversions."""

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
