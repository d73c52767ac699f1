"""What networks cost on the crossbar tiles of a chip: for whole populations, without torch.

A weight matrix of k inputs and o outputs is cut into ceil(k / tile rows) x ceil(o / tile columns) tiles, as
`ohmnas.analog.mapping` cuts it, and no two matrices share a tile. Each branch has matrices of its own, but for the
first convolutions of the branches of a residual block: they read the same input and so lie side by side as one matrix,
as `ohmnas.spaces.network` builds them.

Tiles, their use, multiplications and conversions are exact. Energy and latency are proxies, scaled from what one chip
reports as a whole: they rank networks, and are no measurement. They leave out digital operations (batch norm, ReLU,
sums, drift compensation), moving activations between tiles, programming the tiles, and what idle tiles consume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmnas.spaces import cost
from ohmnas.spaces.cost import Counts, LayerTable
from ohmnas.spaces.genes import Population

Amounts = npt.NDArray[np.float64]

CORES = 64
"""Cores of IBM's chip, each with one crossbar; this and the next three: Le Gallo et al., Nature Electronics 2023."""
CORE_SIDE = 256
"""Rows and columns of a core's crossbar."""
OPERATIONS_PER_SECOND = 63.1e12
"""Of all cores together, at most, with one-phase reads and 8-bit inputs and outputs; a multiply-accumulate is two."""
OPERATIONS_PER_JOULE = 9.76e12
"""In the same mode of operation."""
REFERENCE_BITS = 8
"""Resolution of inputs and outputs that these numbers are for."""

_OPERATIONS_PER_MVM = 2 * CORE_SIDE**2
MVM_SECONDS = _OPERATIONS_PER_MVM / (OPERATIONS_PER_SECOND / CORES)
"""One matrix-vector multiplication of a core: 133 ns."""
MVM_JOULES = _OPERATIONS_PER_MVM / OPERATIONS_PER_JOULE
"""One matrix-vector multiplication of a core, with its share of all that the chip does: 13.4 nJ."""
CONVERSION_JOULES = MVM_JOULES / CORE_SIDE
"""One output of it, likewise: 52 pJ."""


@dataclass(frozen=True, slots=True)
class CrossbarCosts:
    """For n networks, each ``(n,)``; what is done, for one image."""

    tiles: Counts
    """Crossbar tiles of all layers."""
    cells: Counts
    """Cells of these tiles: what they take of a chip, whatever the tiles' size."""
    utilisation: Amounts
    """Share of the cells that hold a weight, above 0 and at most 1."""
    mvms: Counts
    """Matrix-vector multiplications of tiles: each tile of a layer does one at each position of its output."""
    conversions: Counts
    """Conversions by ADCs: one for each output of a layer, part of its inputs, and position."""
    energy: Amounts
    """Joule; a proxy."""
    latency: Amounts
    """Seconds; a proxy."""


def crossbar_costs(
    population: Population,
    input_shape: tuple[int, int, int],
    classes: int,
    hardware: Mapping[str, float] | Mapping[str, npt.NDArray[np.float64]],
    table: LayerTable | None = None,
) -> CrossbarCosts:
    """Count what each network needs of a chip.

    Energy is that of the conversions, each with its share of all the rest, and doubles with each bit of the ADC: its
    figure of merit is energy over 2^bits (Walden, IEEE Journal on Selected Areas in Communications, 1999).

    Latency is that of one image alone on a chip that holds all layers. They run one after another, position by
    position; all tiles of a layer and all branches of a residual block run at once, and its skip beside them, never
    longer. A position takes one multiplication, whose time doubles with each bit of the DAC: inputs are pulses whose
    width is their value (Khaddam-Aljameh et al., IEEE Journal of Solid-State Circuits, 2022).

    For both, ideal converters (0 bits) count as 8 bits.

    Args:
        population: ``(n, g)``, canonical.
        input_shape: channels, height and width of an image.
        classes: outputs of the linear layer.
        hardware: `Hardware.settings()`; a value may be ``(n,)``, one for each network.
        table: `cost.layer_table` of the same networks, where it is known.

    Returns:
        The costs.
    """
    table = table or cost.layer_table(population, input_shape, classes)
    count, inputs, outputs, positions = table.count.T, table.inputs.T, table.outputs.T, table.positions.T
    rows, columns = (np.asarray(hardware[f"hw_tile_{side}"], dtype=np.int64) for side in ("rows", "columns"))
    dac, adc = (_relative_levels(hardware[f"hw_{converter}_bits"]) for converter in ("dac", "adc"))
    repeats, branches, *_ = cost.by_gene(population, np.int64)
    exists = repeats > 0
    matrices, wide, in_a_row = count.copy(), outputs.copy(), count.copy()
    of_block = cost.by_kind(matrices)  # the first convolutions of branches are one matrix
    of_block[cost.ENTRY], of_block[cost.FIRST] = exists, repeats - exists
    cost.by_kind(wide)[[cost.ENTRY, cost.FIRST]] *= branches
    of_block = cost.by_kind(in_a_row)  # branches run at once
    of_block[cost.ENTRY], of_block[cost.FIRST], of_block[cost.LAST] = exists, repeats - exists, repeats
    np.multiply(repeats, of_block[cost.MIDDLE] > 0, out=of_block[cost.MIDDLE])
    of_block[cost.SKIP] = 0

    row_parts = (inputs + (rows - 1)) // rows
    tiles = matrices * row_parts * ((wide + (columns - 1)) // columns)
    total = tiles.sum(axis=0)
    conversions = (count * row_parts * outputs * positions).sum(axis=0)
    return CrossbarCosts(
        tiles=total,
        cells=total * rows * columns,
        utilisation=(count * inputs * outputs).sum(axis=0) / (total * rows * columns),
        mvms=(tiles * positions).sum(axis=0),
        conversions=conversions,
        energy=conversions * CONVERSION_JOULES * adc,
        latency=(in_a_row * positions).sum(axis=0) * MVM_SECONDS * dac,
    )


def _relative_levels(bits: float | Amounts) -> Amounts:
    """Levels of a converter over those of one with `REFERENCE_BITS`."""
    return np.exp2(np.where(np.equal(bits, 0), 0.0, np.subtract(bits, REFERENCE_BITS)))
