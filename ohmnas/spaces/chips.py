"""Chips as genes: technology, tiles and converters as columns of whole numbers, so that they can be searched too.

A matrix of chips is ``(n, c)`` int16 with the columns `CHIP_GENE_NAMES`. Neighbouring values are one apart: tiles are
counted in powers of two. All else of a chip is that of its technology's preset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.spaces.hardware import PRESETS, TECHNOLOGIES, Hardware, varied

Chips = npt.NDArray[np.int16]
"""``(n, c)``."""
Values = npt.NDArray[np.float64]

CHIP_GENE_NAMES: Final = ("TECH", "TILE", "DAC", "ADC")
"""Technology (its place in `TECHNOLOGIES`), binary logarithm of a tile's rows and columns, bits of the converters."""
CHIP_GENES: Final = len(CHIP_GENE_NAMES)
TECH, TILE, DAC, ADC = range(CHIP_GENES)
LOW: Final = np.array([0, 6, 4, 5], dtype=np.int16)
"""Least of each gene: tiles of 64 x 64; DACs of 4 bits and ADCs of 5, below which networks only guess."""
HIGH: Final = np.array([len(TECHNOLOGIES) - 1, 9, 8, 9], dtype=np.int16)
"""Most of each gene: tiles of 512 x 512; beyond 8 and 9 bits the noise of the chip hides the steps."""
_NAMES: Final = tuple(TECHNOLOGIES)
MOST_SETTINGS: Final = int(np.prod(HIGH[1:] - LOW[1:] + 1))
"""Different settings of tiles and converters: 100."""
MOST_CHIPS: Final = MOST_SETTINGS * len(_NAMES)
"""Different chips: 300."""


def every_chip() -> Chips:
    """``(MOST_CHIPS, c)``: each once, the technologies of one setting beside each other."""
    axes = [np.arange(low, high + 1, dtype=np.int16) for low, high in zip(LOW[1:], HIGH[1:], strict=True)]
    settings = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, CHIP_GENES - 1)
    technologies = np.arange(len(_NAMES), dtype=np.int16)
    return np.column_stack([np.tile(technologies, len(settings)), np.repeat(settings, len(_NAMES), axis=0)])


def to_hardware(chips: Chips) -> list[Hardware]:
    """The chips of ``(n, c)`` genes, called like ``pcm-t256-d8-a7``."""
    return [varied(_NAMES[tech], 2**tile, dac, adc) for tech, tile, dac, adc in chips.tolist()]


def from_hardware(hardware: Iterable[Hardware]) -> tuple[Chips, npt.NDArray[np.bool_]]:
    """``(n, c)`` genes of chips, and ``(n,)``: which chips these genes describe completely; others have any genes."""
    rows, described = [], []
    for chip in hardware:
        tile = chip.tile_rows.bit_length() - 1
        row = np.array([_NAMES.index(chip.technology), min(tile, int(HIGH[TILE])), chip.dac_bits, chip.adc_bits])
        row = np.clip(row, LOW, HIGH).astype(np.int16)
        described.append(same_but_name(to_hardware(row[None])[0], chip))
        rows.append(row)
    return np.array(rows, dtype=np.int16).reshape(-1, CHIP_GENES), np.array(described, dtype=bool)


def same_but_name(one: Hardware, other: Hardware) -> bool:
    """Whether two chips differ in nothing but what they are called."""
    return one.technology == other.technology and one.settings() == other.settings()


def descriptions(chips: Chips) -> dict[str, Values]:
    """`Hardware.description()` of ``(n, c)`` chips: each value ``(n,)``."""
    of_technology = [PRESETS[name].description() for name in _NAMES]
    tech = chips[:, TECH].astype(np.intp)
    values = {name: np.array([each[name] for each in of_technology])[tech] for name in of_technology[0]}
    side = np.exp2(chips[:, TILE].astype(np.float64))
    values |= {"hw_tile_rows": side, "hw_tile_columns": side}
    values |= {"hw_dac_bits": chips[:, DAC].astype(np.float64), "hw_adc_bits": chips[:, ADC].astype(np.float64)}
    return values


def chip_value(name: str, text: str) -> int:
    """The number of a chip gene's value as people write it: ``TECH=hermes``, ``TILE=256``, ``ADC=7``.

    Raises:
        UnknownNameError: there is no such technology.
        InvalidValueError: it is no whole number, or no side that tiles have.
    """
    text = text.strip()
    if name == CHIP_GENE_NAMES[TECH]:
        check_name("technology", _NAMES, text)
        return _NAMES.index(text)
    if not text.isdecimal() or len(text) > _LONGEST:
        raise InvalidValueError(f"a value of {name} is a whole number, not {text!r}")
    if name != CHIP_GENE_NAMES[TILE]:
        return int(text)
    sides = [2**power for power in range(int(LOW[TILE]), int(HIGH[TILE]) + 1)]
    if int(text) not in sides:
        raise InvalidValueError(f"TILE is one of {', '.join(map(str, sides))}, not {text}")
    return int(np.log2(int(text)))


def chip_text(name: str, value: int) -> str:
    """A chip gene's value as people write it; the inverse of `chip_value`."""
    if name == CHIP_GENE_NAMES[TECH]:
        return _NAMES[value]
    return str(2**value if name == CHIP_GENE_NAMES[TILE] else value)


_LONGEST: Final = 9
"""Characters of a number."""


def mutate(chips: Chips, rng: np.random.Generator) -> Chips:
    """``(n, c)``: in each row one gene moved: by one up or down, a technology to any other."""
    changed = chips.copy()
    rows, gene = np.arange(len(chips)), rng.integers(CHIP_GENES, size=len(chips))
    now, low, high = chips[rows, gene], LOW[gene], HIGH[gene]
    step = np.where(rng.random(len(chips)) < 0.5, -1, 1)
    step = np.where((now + step < low) | (now + step > high), -step, step)
    moved = now + step
    count = len(_NAMES)
    other = (chips[:, TECH] + rng.integers(1, count, size=len(chips))) % count
    changed[rows, gene] = np.where(gene == TECH, other, moved)
    return changed


def neighbours(chip: npt.NDArray[np.int16]) -> Chips:
    """``(k, c)``: all that `mutate` can make of a ``(c,)`` chip."""
    near = []
    for gene in range(CHIP_GENES):
        values = range(len(_NAMES)) if gene == TECH else (chip[gene] - 1, chip[gene] + 1)
        near += [(gene, value) for value in values if LOW[gene] <= value <= HIGH[gene] and value != chip[gene]]
    found = np.tile(chip, (len(near), 1))
    for row, (gene, value) in enumerate(near):
        found[row, gene] = value
    return found


def drawn_for(position: int, times: int) -> Chips:
    """The chips that a campaign puts its architectures on: settings in turn, so that all come up equally often.

    Args:
        position: the how-manieth architecture, from 0; its chips do not depend on how many follow.
        times: settings of tiles and converters for each; each in all technologies.

    Returns:
        ``(times * technologies, c)``, all different.
    """
    settings = every_chip().reshape(-1, len(_NAMES), CHIP_GENES)
    if not 1 <= times <= MOST_SETTINGS:
        raise InvalidValueError(f"there are 1 to {MOST_SETTINGS} settings of tiles and converters, not {times}")
    block, place = divmod(position, len(settings))
    order = np.random.default_rng([_DRAWS, block]).permutation(len(settings))
    turns = (place + np.arange(times) * len(settings) // times) % len(settings)
    return settings[order[turns]].reshape(-1, CHIP_GENES)


_DRAWS: Final = 20260
"""Seed of the order in which settings take turns."""
