"""What settings of the chip did to the same networks: measured, where `study.chip_effects` predicts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.chips import CHIP_GENE_NAMES, TECH, TILE, from_hardware
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import GENES
from ohmnas.spaces.hardware import PRESETS, TECHNOLOGIES
from ohmnas.surrogate.learning import HEADS, LearningSet, Values

FEWEST_NETWORKS: Final = 5
"""That an effect is stated of."""
NAMES: Final = dict(
    zip(CHIP_GENE_NAMES, ("technology (pcm, hermes, reram)", "side of a tile", "DAC bits", "ADC bits"), strict=True)
)
"""Gene -> what people call it."""
TECH_NAME: Final = CHIP_GENE_NAMES[TECH]
SETTINGS: Final = tuple(name for name in CHIP_GENE_NAMES if name != TECH_NAME)
"""Genes of tiles and converters."""


def measured_chip_effects(designs: LearningSet) -> pd.DataFrame:
    """How the labels of networks change with each setting of the chip.

    Of tiles and converters: main effects, by least squares over all settings at once, on how the labels of each network
    differ from those that it has on the preset of the same technology. A campaign that varies chips draws the settings
    evenly, so that none stands for another. Of technologies: the same trained network, tiles and converters on another
    technology than the first.

    Args:
        designs: `LearningSet.of_designs`.

    Returns:
        One row for each setting and value: `choice`, `value`, `architectures` (networks that have it), and for each
        head the mean change against the setting of the ``pcm`` preset and the ends of its 90 % interval
        (`<head>_change`, `_low`, `_high`), as fractions.

    Raises:
        InvalidValueError: the rows are not of a space with chips.
    """
    if not isinstance(designs.space, CoDesignSpace):
        raise InvalidValueError("effects of settings are measured on varied chips: LearningSet.of_designs")
    chips = designs.space.chips(designs.population)
    network = np.unique(designs.population[:, :GENES], axis=0, return_inverse=True)[1].reshape(-1)
    frame = pd.DataFrame({"network": network, **dict(zip(CHIP_GENE_NAMES, chips.T, strict=True)), **designs.labels})
    return pd.DataFrame([*_settings(frame), *_technologies(frame)])


def _settings(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of tiles and converters; none if too few networks were measured on their preset too."""
    presets, _ = from_hardware(PRESETS[name] for name in TECHNOLOGIES)
    usual = presets[frame[TECH_NAME].to_numpy()]
    is_preset = (frame[list(CHIP_GENE_NAMES)].to_numpy() == usual).all(axis=1)
    pairs = frame[~is_preset].merge(
        frame[is_preset][["network", TECH_NAME, *HEADS]], on=["network", TECH_NAME], suffixes=("", "_before")
    )
    columns = [(gene, value) for gene in SETTINGS for value in sorted(set(pairs[gene]))]
    of_preset = dict(zip(CHIP_GENE_NAMES, presets[pairs[TECH_NAME].to_numpy()].T, strict=True))
    has = np.column_stack([pairs[gene] == value for gene, value in columns]) if columns else np.empty((len(pairs), 0))
    had = [of_preset[gene] == value for gene, value in columns]
    free = [place for place, (gene, value) in enumerate(columns) if value != presets[0, CHIP_GENE_NAMES.index(gene)]]
    network = pairs["network"].to_numpy()
    counts = [len(set(network[own])) for own in has.T]
    free = [place for place in free if counts[place] >= FEWEST_NETWORKS]
    if not free:
        return []
    steps = (has - np.column_stack(had).astype(np.float64))[:, free]
    change = np.column_stack([pairs[head] - pairs[f"{head}_before"] for head in HEADS])
    together = pd.DataFrame(np.column_stack([steps, change])).groupby(network).mean().to_numpy()
    inputs, outputs = together[:, : len(free)], together[:, len(free) :]
    spare = len(inputs) - len(free)
    if spare < FEWEST_NETWORKS or np.linalg.matrix_rank(inputs) < len(free):
        return []
    effects = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    noise = ((outputs - inputs @ effects) ** 2).sum(axis=0) / spare
    errors = np.sqrt(np.diag(np.linalg.inv(inputs.T @ inputs))[:, None] * noise)
    half = student.ppf(0.95, spare) * errors
    rows = []
    for place, (gene, value) in enumerate(columns):
        if place in free:
            row = free.index(place)
            rows.append(_row(gene, value, counts[place], effects[row], half[row]))
        elif value == presets[0, CHIP_GENE_NAMES.index(gene)]:
            rows.append(_row(gene, value, counts[place], np.zeros(len(HEADS)), np.zeros(len(HEADS))))
    return rows


def _technologies(frame: pd.DataFrame) -> list[dict[str, Any]]:
    first = frame[TECH_NAME] == 0
    pairs = frame[~first].merge(
        frame[first][["network", *SETTINGS, *HEADS]], on=["network", *SETTINGS], suffixes=("", "_before")
    )
    rows = []
    for value, some in pairs.groupby(TECH_NAME):
        changes = pd.DataFrame({head: some[head] - some[f"{head}_before"] for head in HEADS}, index=some.index)
        means = changes.groupby(some["network"]).mean().to_numpy()
        if len(means) >= FEWEST_NETWORKS:
            half = student.ppf(0.95, len(means) - 1) * means.std(axis=0, ddof=1) / np.sqrt(len(means))
            rows.append(_row(TECH_NAME, int(str(value)), len(means), means.mean(axis=0), half))
    return rows


def _row(gene: str, value: int, networks: int, change: Values, half: Values) -> dict[str, Any]:
    row: dict[str, Any] = {
        "choice": NAMES[gene],
        "value": 2 ** int(value) if gene == CHIP_GENE_NAMES[TILE] else int(value),
        "architectures": networks,
    }
    for head, middle, wide in zip(HEADS, change, half, strict=True):
        row |= {
            f"{head}_change": float(middle),
            f"{head}_low": float(middle - wide),
            f"{head}_high": float(middle + wide),
        }
    return row
