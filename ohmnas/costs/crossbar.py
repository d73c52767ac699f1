"""Costs of networks on the crossbar tiles of a chip, for whole populations, without torch.

A weight matrix with k inputs and o outputs is split into ceil(k / tile rows) x ceil(o / tile columns) tiles, as in
`ohmnas.analog.mapping`. Matrices do not share tiles. Each branch has its own matrices, with one exception: the first
convolutions of the branches of a residual block read the same input, so they are placed side by side as one matrix, as
in `ohmnas.spaces.resnet.network`.

The groups of a depthwise convolution share tiles. Each group is a block of k inputs and one output. A tile holds as
many blocks on its diagonal as fit, and they compute at the same time. The cells outside the blocks hold no weight and
are assumed not to conduct. Utilisation is therefore low: a tile of 512 x 512 cells holds 56 channels with 3x3 kernels,
in 0.2 % of its cells.

Tiles, utilisation, multiplications and conversions are exact. Energy and latency are proxies, scaled from the totals
reported for one chip. Use them to rank networks, not as measurements. They exclude digital operations (batch norm,
ReLU, sums, drift compensation), data transfers between tiles, programming, and the power of idle tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.costs.conversion import PHASES, REFERENCE_BITS, Conversion
from ohmnas.spaces.layers import Counts, Layers

Amounts = npt.NDArray[np.float64]

CORES = 64
"""Cores of IBM's chip, with one crossbar each (Le Gallo et al., Nature Electronics 2023)."""
CORE_SIDE = 256
"""Rows and columns of a core's crossbar."""

_OPERATIONS_PER_MVM = 2 * CORE_SIDE**2


def mvm_seconds(phases: int = 1) -> float:
    """Time of one matrix-vector multiplication on a core, in seconds: 133 ns with one-phase reads."""
    per_second, _ = PHASES[phases]
    return _OPERATIONS_PER_MVM / (per_second / CORES)


def conversion_joules(phases: int = 1) -> float:
    """Energy of one ADC conversion in joules, with its share of the chip's other energy: 52 pJ with one-phase reads."""
    _, per_joule = PHASES[phases]
    return _OPERATIONS_PER_MVM / per_joule / CORE_SIDE


@dataclass(frozen=True, slots=True)
class CrossbarCosts:
    """Costs of n networks; each field is ``(n,)``. Operations, energy and latency are per image."""

    tiles: Counts
    """Crossbar tiles of all layers."""
    cells: Counts
    """Cells of these tiles, for comparing chips with different tile sizes."""
    utilisation: Amounts
    """Share of the cells that hold a weight, above 0 and at most 1."""
    mvms: Counts
    """Matrix-vector multiplications of tiles: each tile of a layer does one per output position."""
    conversions: Counts
    """ADC conversions: each output of a layer needs one per output position and row of tiles."""
    energy: Amounts
    """Energy in joules; a proxy."""
    latency: Amounts
    """Latency in seconds; a proxy."""


def crossbar_costs(
    layers: Layers,
    hardware: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]],
    conversion: Conversion = Conversion(),  # noqa: B008 - immutable
) -> CrossbarCosts:
    """Compute the costs of each network on a chip.

    The energy is the number of ADC conversions times the energy of one, which includes its share of all other energy.
    `conversion` states how the energy of a conversion depends on the ADC's bits.

    The latency is the time for a single image on a chip that holds all layers. Layers run one after another, position
    by position. All tiles of a layer run at the same time. All branches of a residual block and its skip also run at
    the same time; the skip never takes longer than the branches. Each position takes one matrix-vector multiplication.
    Its time doubles with each bit of the DAC, because the width of a pulse encodes the input (Khaddam-Aljameh et al.,
    IEEE Journal of Solid-State Circuits, 2022).

    For energy and latency, ideal converters (0 bits) count as 8 bits.

    Args:
        layers: layers of n networks.
        hardware: `Hardware.settings()`; a value may be ``(n,)``, one per network.
        conversion: energy of conversions, and number of read phases.

    Returns:
        The costs.
    """
    count, inputs, outputs, positions = layers.count.T, layers.inputs.T, layers.outputs.T, layers.positions.T
    rows, columns = (np.asarray(hardware[f"hw_tile_{side}"], dtype=np.int64) for side in ("rows", "columns"))
    tiling = layers.tiling()
    groups = None if tiling.groups is None else tiling.groups.T
    row_parts, column_parts = tile_parts(inputs, tiling.outputs.T, groups, rows, columns)
    tiles = tiling.matrices.T * row_parts * column_parts
    total = tiles.sum(axis=0)
    conversions = (count * row_parts * outputs * positions).sum(axis=0)
    return CrossbarCosts(
        tiles=total,
        cells=total * rows * columns,
        utilisation=(count * inputs * outputs).sum(axis=0) / (total * rows * columns),
        mvms=(tiles * positions).sum(axis=0),
        conversions=conversions,
        energy=conversions * conversion_joules(conversion.phases) * conversion.relative_energy(hardware["hw_adc_bits"]),
        latency=tiling.steps * mvm_seconds(conversion.phases) * _relative_levels(hardware["hw_dac_bits"]),
    )


def tile_parts(
    inputs: Counts, outputs: Counts, groups: Counts | None, rows: Counts, columns: Counts
) -> tuple[Counts, Counts]:
    """Number of rows of tiles and number of columns of tiles that each weight matrix needs. Arguments broadcast.

    Args:
        inputs: inputs of a matrix, or of one of its groups.
        outputs: outputs of all groups of a matrix.
        groups: groups of each matrix; None means 1 for all.
        rows: inputs of a tile.
        columns: outputs of a tile.
    """
    row_parts, column_parts = -(-inputs // rows), -(-outputs // columns)
    if groups is None:
        return row_parts, column_parts
    each = np.maximum(outputs // groups, 1)
    together = np.minimum(rows // np.maximum(inputs, 1), columns // each)
    packed = -(-groups // np.maximum(together, 1))
    alone = groups * -(-each // columns)
    column_parts = np.where(groups == 1, column_parts, np.where(together > 0, packed, alone))
    return row_parts, column_parts


def _relative_levels(bits: float | Amounts) -> Amounts:
    """Number of levels of a converter, relative to a converter with `REFERENCE_BITS`."""
    return np.exp2(np.where(np.equal(bits, 0), 0.0, np.subtract(bits, REFERENCE_BITS)))
