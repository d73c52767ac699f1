"""Encode chips as genes: technology, tile size and converter bits are integers that a search can vary.

A matrix of chips is ``(n, c)`` int16 with the columns `CHIP_GENE_NAMES`. Tile sizes are stored as their log2, so
neighbouring sizes differ by 1. All other settings come from the technology's preset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.hardware.presets import PRESETS, varied
from ohmnas.hardware.settings import Hardware
from ohmnas.lookup import check_name

Chips = npt.NDArray[np.int16]
"""``(n, c)``."""
Values = npt.NDArray[np.float64]

GENE_TECHNOLOGIES: Final = ("pcm", "hermes", "reram")
"""Technologies for co-design. Genomes and saved surrogates store their indices, so new ones must be appended.
Measurements and searches use chips of other technologies one at a time."""
CHIP_GENE_NAMES: Final = ("TECH", "TILE", "DAC", "ADC")
"""Index into `GENE_TECHNOLOGIES`, log2 of a tile's rows and columns, bits of the converters."""
CHIP_GENES: Final = len(CHIP_GENE_NAMES)
TECH, TILE, DAC, ADC = range(CHIP_GENES)
LOW: Final = np.array([0, 6, 4, 5], dtype=np.int16)
"""Lowest values: tiles of 64 x 64, 4-bit DACs and 5-bit ADCs. With fewer bits, networks only guess."""
HIGH: Final = np.array([len(GENE_TECHNOLOGIES) - 1, 9, 8, 9], dtype=np.int16)
"""Highest values: tiles of 512 x 512, 8-bit DACs and 9-bit ADCs. With more bits, the chip's noise hides the steps."""
MOST_SETTINGS: Final = int(np.prod(HIGH[1:] - LOW[1:] + 1))
"""Number of settings of tiles and converters (combinations of tile size, DAC bits and ADC bits): 100."""
MOST_CHIPS: Final = MOST_SETTINGS * len(GENE_TECHNOLOGIES)
"""Number of chips: 300."""


def every_chip() -> Chips:
    """``(MOST_CHIPS, c)``: all chips. Chips that differ only in their technology are adjacent."""
    axes = [np.arange(low, high + 1, dtype=np.int16) for low, high in zip(LOW[1:], HIGH[1:], strict=True)]
    settings = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, CHIP_GENES - 1)
    technologies = np.arange(len(GENE_TECHNOLOGIES), dtype=np.int16)
    return np.column_stack([np.tile(technologies, len(settings)), np.repeat(settings, len(GENE_TECHNOLOGIES), axis=0)])


def to_hardware(chips: Chips) -> list[Hardware]:
    """Convert ``(n, c)`` genes to chips with names such as ``pcm-t256-d8-a7``."""
    return [varied(GENE_TECHNOLOGIES[tech], 2**tile, dac, adc) for tech, tile, dac, adc in chips.tolist()]


def from_hardware(hardware: Iterable[Hardware]) -> tuple[Chips, npt.NDArray[np.bool_]]:
    """``(n, c)``: genes of each chip, clipped to valid values, and ``(n,)``: True if they describe the chip completely.

    The genes of any other chip are only placeholders.
    """
    rows, described = [], []
    for chip in hardware:
        tile = chip.tile_rows.bit_length() - 1
        known = chip.technology in GENE_TECHNOLOGIES
        place = GENE_TECHNOLOGIES.index(chip.technology) if known else 0
        row = np.array([place, min(tile, int(HIGH[TILE])), chip.dac_bits, chip.adc_bits])
        row = np.clip(row, LOW, HIGH).astype(np.int16)
        described.append(known and same_but_name(to_hardware(row[None])[0], chip))
        rows.append(row)
    return np.array(rows, dtype=np.int16).reshape(-1, CHIP_GENES), np.array(described, dtype=bool)


def same_but_name(one: Hardware, other: Hardware) -> bool:
    """Return True if two chips differ at most in their names."""
    return one.technology == other.technology and one.settings() == other.settings()


def descriptions(chips: Chips) -> dict[str, Values]:
    """`Hardware.description()` for all chips ``(n, c)`` at once; each value is ``(n,)``."""
    of_technology = [PRESETS[name].description() for name in GENE_TECHNOLOGIES]
    tech = chips[:, TECH].astype(np.intp)
    values = {name: np.array([each[name] for each in of_technology])[tech] for name in of_technology[0]}
    side = np.exp2(chips[:, TILE].astype(np.float64))
    values |= {"hw_tile_rows": side, "hw_tile_columns": side}
    values |= {"hw_dac_bits": chips[:, DAC].astype(np.float64), "hw_adc_bits": chips[:, ADC].astype(np.float64)}
    return values


def chip_value(name: str, text: str) -> int:
    """Parse the value of a chip gene: ``TECH=hermes``, ``TILE=256``, ``ADC=7``.

    Raises:
        UnknownNameError: the technology is unknown.
        InvalidValueError: the value is not a whole number, or is not a valid tile size.
    """
    text = text.strip()
    if name == CHIP_GENE_NAMES[TECH]:
        check_name("technology", GENE_TECHNOLOGIES, text)
        return GENE_TECHNOLOGIES.index(text)
    if not text.isdecimal() or len(text) > _LONGEST:
        raise InvalidValueError(f"{name} must be a whole number, not {text!r}")
    if name != CHIP_GENE_NAMES[TILE]:
        return int(text)
    sides = [2**power for power in range(int(LOW[TILE]), int(HIGH[TILE]) + 1)]
    if int(text) not in sides:
        raise InvalidValueError(f"TILE must be one of {', '.join(map(str, sides))}, not {text}")
    return int(np.log2(int(text)))


def chip_text(name: str, value: int) -> str:
    """Format the value of a chip gene; the inverse of `chip_value`."""
    if name == CHIP_GENE_NAMES[TECH]:
        return GENE_TECHNOLOGIES[value]
    return str(2**value if name == CHIP_GENE_NAMES[TILE] else value)


_LONGEST: Final = 9
"""Largest number of digits of a value."""


def mutate(chips: Chips, rng: np.random.Generator) -> Chips:
    """``(n, c)``: change one random gene of each row by one step; a technology changes to any other."""
    changed = chips.copy()
    rows, gene = np.arange(len(chips)), rng.integers(CHIP_GENES, size=len(chips))
    now, low, high = chips[rows, gene], LOW[gene], HIGH[gene]
    step = np.where(rng.random(len(chips)) < 0.5, -1, 1)
    step = np.where((now + step < low) | (now + step > high), -step, step)
    moved = now + step
    count = len(GENE_TECHNOLOGIES)
    other = (chips[:, TECH] + rng.integers(1, count, size=len(chips))) % count
    changed[rows, gene] = np.where(gene == TECH, other, moved)
    return changed


def neighbours(chip: npt.NDArray[np.int16]) -> Chips:
    """``(k, c)``: all chips that `mutate` can return for a ``(c,)`` chip."""
    near = []
    for gene in range(CHIP_GENES):
        values = range(len(GENE_TECHNOLOGIES)) if gene == TECH else (chip[gene] - 1, chip[gene] + 1)
        near += [(gene, value) for value in values if LOW[gene] <= value <= HIGH[gene] and value != chip[gene]]
    found = np.tile(chip, (len(near), 1))
    for row, (gene, value) in enumerate(near):
        found[row, gene] = value
    return found


def drawn_for(position: int, settings_per_architecture: int) -> Chips:
    """Draw the chips for one architecture of a campaign. Over many architectures, all settings occur equally often.

    Args:
        position: index of the architecture, from 0. Its chips do not depend on the length of the campaign.
        settings_per_architecture: number s of settings of tiles and converters, each used with all technologies.

    Returns:
        ``(s * technologies, c)``, without duplicates.

    Raises:
        InvalidValueError: the number of settings is not from 1 to `MOST_SETTINGS`.
    """
    settings = every_chip().reshape(-1, len(GENE_TECHNOLOGIES), CHIP_GENES)
    if not 1 <= settings_per_architecture <= MOST_SETTINGS:
        raise InvalidValueError(
            f"the number of settings of tiles and converters must be 1 to {MOST_SETTINGS}, "
            f"not {settings_per_architecture}"
        )
    block, place = divmod(position, len(settings))
    order = np.random.default_rng([_DRAWS, block]).permutation(len(settings))
    steps = np.arange(settings_per_architecture) * len(settings) // settings_per_architecture
    turns = (place + steps) % len(settings)
    return settings[order[turns]].reshape(-1, CHIP_GENES)


_DRAWS: Final = 20260
"""Seed of the order of the settings."""
