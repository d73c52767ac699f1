"""Measured effects of chip settings on the same networks; `study.chip_effects` predicts them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ohmnas.errors import InvalidValueError
from ohmnas.hardware import PRESETS
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, GENE_TECHNOLOGIES, TECH, TILE, chip_text, from_hardware
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.surrogate.scales import Values
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES

FEWEST_NETWORKS: Final = 5
"""Smallest number of networks for an effect."""
NAMES: Final = dict(zip(CHIP_GENE_NAMES, ("technology", "side of a tile", "DAC bits", "ADC bits"), strict=True))
"""Gene -> its name in words."""
COLUMNS: Final = [
    "choice",
    "value",
    "label",
    "against",
    "architectures",
    *(f"{target}_{end}" for target in DEFAULT_NAMES for end in ("change", "low", "high")),
]
Level = tuple[str, int]
"""A gene and its value."""
TECH_NAME: Final = CHIP_GENE_NAMES[TECH]
SETTINGS: Final = tuple(name for name in CHIP_GENE_NAMES if name != TECH_NAME)
"""Genes of tiles and converters."""


_DEFAULTS: Final = dict(zip(CHIP_GENE_NAMES, from_hardware([PRESETS["pcm"]])[0][0].tolist(), strict=True))
"""Gene -> its value in the ``pcm`` preset."""


def measured_chip_effects(designs: TrainingSet) -> pd.DataFrame:
    """Effects of each chip setting on the labels of the same networks.

    Tiles and converters: main effects, estimated by least squares over all settings at once from the difference between
    a network's labels on a chip and on the preset of the same technology. A campaign that varies chips draws the
    settings evenly, so effects of different settings are not confounded. Technologies: each is compared with the first
    technology, for the same trained network, tiles and converters.

    Args:
        designs: `TrainingSet.of_designs`.

    Returns:
        One row for each setting and value: `choice`, `value`, `label` (the value as text), `against` (the value of the
        ``pcm`` preset), `architectures` (number of networks), and for each target the mean change and the ends
        of its 90 % interval (`<target>_change`, `_low`, `_high`), as fractions.

    Raises:
        InvalidValueError: the space has no chips.
    """
    if not isinstance(designs.space, CoDesignSpace):
        raise InvalidValueError("measured effects need rows of varied chips: use TrainingSet.of_designs")
    chips = designs.space.chips(designs.population)
    network = np.unique(designs.space.split(designs.population)[0], axis=0, return_inverse=True)[1].reshape(-1)
    frame = pd.DataFrame({"network": network, **dict(zip(CHIP_GENE_NAMES, chips.T, strict=True)), **designs.labels})
    return pd.DataFrame([*_settings(frame), *_technologies(frame)], columns=COLUMNS)


def _settings(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for tiles and converters; none if too few networks were also measured on their preset."""
    presets, _ = from_hardware(PRESETS[name] for name in GENE_TECHNOLOGIES)
    is_preset = (frame[list(CHIP_GENE_NAMES)].to_numpy() == presets[frame[TECH_NAME].to_numpy()]).all(axis=1)
    pairs = frame[~is_preset].merge(frame[is_preset], on=["network", TECH_NAME], suffixes=("", "_before"))
    pairs, levels = _with_known_levels(pairs)
    free = [(gene, value) for gene, value in levels if value != _DEFAULTS[gene]]
    inputs, outputs = _steps(pairs, free)
    spare = len(inputs) - len(free)
    if not free or spare < FEWEST_NETWORKS or np.linalg.matrix_rank(inputs) < len(free):
        return []
    effects = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    noise = ((outputs - inputs @ effects) ** 2).sum(axis=0) / spare
    errors = np.sqrt(np.diag(np.linalg.inv(inputs.T @ inputs))[:, None] * noise)
    half = student.ppf(0.95, spare) * errors
    nothing = np.zeros(len(DEFAULT_NAMES))
    found = {level: (effects[row], half[row]) for row, level in enumerate(free)}
    return [_row(*level, count, *found.get(level, (nothing, nothing))) for level, count in levels.items()]


def _with_known_levels(pairs: pd.DataFrame) -> tuple[pd.DataFrame, dict[Level, int]]:
    """Keep pairs whose settings all occur in enough networks; also return the number of networks per setting.

    The effect of a rare setting would be confounded with other effects. Dropping a setting may make others rare.
    """
    while True:
        counts = {
            (gene, int(str(value))): int(some["network"].nunique())
            for gene in SETTINGS
            for value, some in pairs.groupby(gene)
        }
        known = {level for level, count in counts.items() if count >= FEWEST_NETWORKS} | {*_DEFAULTS.items()}
        both = [
            pairs[f"{gene}{end}"].isin([value for name, value in known if name == gene])
            for gene in SETTINGS
            for end in ("", "_before")
        ]
        keep = np.all(both, axis=0) if len(pairs) else np.zeros(0, dtype=bool)
        if keep.all():
            return pairs, {level: count for level, count in counts.items() if level in known}
        pairs = pairs[keep]


def _steps(pairs: pd.DataFrame, free: list[Level]) -> tuple[Values, Values]:
    """``(networks, levels)`` steps, 1 for a level gained and -1 for a level lost, and ``(networks, 3)`` changes.

    Both are means over the pairs of a network.
    """
    steps = {
        f"{gene} {value}": (pairs[gene] == value).astype(float) - (pairs[f"{gene}_before"] == value).astype(float)
        for gene, value in free
    }
    changes = {target: pairs[target] - pairs[f"{target}_before"] for target in DEFAULT_NAMES}
    together = pd.DataFrame({**steps, **changes}, index=pairs.index).groupby(pairs["network"]).mean()
    return together[[*steps]].to_numpy(), together[[*changes]].to_numpy()


def _technologies(frame: pd.DataFrame) -> list[dict[str, Any]]:
    first = frame[TECH_NAME] == 0
    pairs = frame[~first].merge(
        frame[first][["network", *SETTINGS, *DEFAULT_NAMES]], on=["network", *SETTINGS], suffixes=("", "_before")
    )
    rows = []
    for value, some in pairs.groupby(TECH_NAME):
        changes = pd.DataFrame(
            {target: some[target] - some[f"{target}_before"] for target in DEFAULT_NAMES}, index=some.index
        )
        means = changes.groupby(some["network"]).mean().to_numpy()
        if len(means) >= FEWEST_NETWORKS:
            half = student.ppf(0.95, len(means) - 1) * means.std(axis=0, ddof=1) / np.sqrt(len(means))
            rows.append(_row(TECH_NAME, int(str(value)), len(means), means.mean(axis=0), half))
    return rows


def _row(gene: str, value: int, networks: int, change: Values, half: Values) -> dict[str, Any]:
    row: dict[str, Any] = {
        "choice": NAMES[gene],
        "value": 2 ** int(value) if gene == CHIP_GENE_NAMES[TILE] else int(value),
        "label": chip_text(gene, value),
        "against": chip_text(gene, _DEFAULTS[gene]),
        "architectures": networks,
    }
    for target, middle, half_width in zip(DEFAULT_NAMES, change, half, strict=True):
        row |= {
            f"{target}_change": float(middle),
            f"{target}_low": float(middle - half_width),
            f"{target}_high": float(middle + half_width),
        }
    return row
