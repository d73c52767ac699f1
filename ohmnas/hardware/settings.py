"""`Hardware`: settings of one analog in-memory computing chip, with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ohmnas.errors import InvalidValueError
from ohmnas.hardware.technologies import TECHNOLOGIES
from ohmnas.lookup import look_up

BATCH_NORMS = ("trained", "adaptive")
"""Sources of batch norm statistics; tables store the index (`hw_batch_norm`)."""
RANGES = {"g_max": (1e-3, 1e6), "adc_bound": (1e-6, 1e6)}
"""Setting -> smallest and largest value. The limits keep squares and quotients of the values within float32."""
LARGEST_NOISE = 1e3
"""Largest value of the noise settings, `drift` and `clip_sigma`, to stay within float32. For settings that are scales,
this is a thousand times the value of the measured device."""
AFTER_TRAINING = frozenset(
    {
        "name",
        "technology",
        "g_max",
        "programming_noise",
        "read_noise",
        "drift",
        "drift_compensation",
        "batch_norm",
    }
)
"""Settings that do not affect training, only programming and reading. Chips that differ only in these settings share
one trained network."""
LARGEST_TILE = 999_999_999
"""Largest number of rows or columns of a tile. No layer is larger, so a larger tile would make no difference."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Settings of a chip.

    The unit of a tile's output is the full-scale input times the weight at g_max, as in aihwkit.
    """

    name: str = "pcm"
    """Name in tables and commands."""
    technology: str = "pcm"
    """Device technology, one of `technologies.TECHNOLOGIES`."""
    g_max: float = 25.0
    """Largest conductance in uS: the target of the largest weight of a column."""
    tile_rows: int = 512
    """Inputs of a crossbar tile. Layers with more inputs are split evenly over several tiles, each with its own
    converters."""
    tile_columns: int = 512
    """Outputs of a crossbar tile."""
    dac_bits: int = 8
    """Bits of the input converters, which have 2^bits - 1 symmetric levels. 0 is ideal: no rounding and no limit."""
    adc_bits: int = 8
    """Bits of the output converters, which have 2^bits - 1 symmetric levels. 0 is ideal: no rounding and no limit."""
    adc_bound: float = 10.0
    """Output at which the ADC saturates."""
    output_noise: float = 0.04
    """Standard deviation of the Gaussian noise at each output of a tile. Each multiplication has new noise."""
    programming_noise: float = 1.0
    """Scale of the technology's programming noise; 1 is the measured device, 0 is none."""
    read_noise: float = 1.0
    """Scale of the technology's 1/f read noise; 1 is the measured device, 0 is none."""
    drift: float = 1.0
    """Scale of the technology's drift exponents; 1 is the measured device, 0 is none."""
    drift_compensation: bool = True
    """Global drift compensation. Each tile's outputs are divided by its current mean readout, relative to its mean
    readout right after programming."""
    batch_norm: str = "trained"
    """Source of the batch norm statistics, one of `BATCH_NORMS`. `trained` keeps the statistics from training.
    `adaptive` averages them over calibration images on the programmed and drifted chip before each reading (V. Joshi et
    al., Nature Communications 2020)."""
    training_noise: float = 0.06
    """Standard deviation of the Gaussian weight noise in training, relative to the largest weight of the column."""
    clip_sigma: float = 2.0
    """Training clips weights at this many standard deviations of their layer, or of their group if each group has its
    own tiles. 0 turns clipping off."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            InvalidValueError: a setting is out of range.
            UnknownNameError: the technology or the source of batch norm statistics is unknown.
        """
        technology = TECHNOLOGIES[self.technology]
        look_up("batch norm", dict.fromkeys(BATCH_NORMS), self.batch_norm)
        for name, (smallest, largest) in RANGES.items():
            value = getattr(self, name)
            if not value > 0:
                raise InvalidValueError(f"{name} must be above 0, not {value}")
            if not smallest <= value <= largest:
                raise InvalidValueError(f"{name} must be {smallest:g} to {largest:g}, not {value:g}")
        low, high = technology.smallest_conductance, technology.largest_conductance
        if not self.g_max <= high:
            raise InvalidValueError(f"g_max of {self.technology} must be at most {high} uS, not {self.g_max}")
        if not self.g_max > low:
            raise InvalidValueError(
                f"g_max of {self.technology} must be above its smallest conductance of {low} uS, not {self.g_max}"
            )
        for name in ("tile_rows", "tile_columns"):
            if not getattr(self, name) >= 1 or getattr(self, name) % 1 != 0:
                raise InvalidValueError(f"{name} must be a whole number above 0, not {getattr(self, name)}")
            if getattr(self, name) > LARGEST_TILE:
                raise InvalidValueError(f"{name} must be at most {LARGEST_TILE}, not {getattr(self, name)}")
        for name in ("output_noise", "programming_noise", "read_noise", "drift", "training_noise", "clip_sigma"):
            value = getattr(self, name)
            if not value >= 0:
                raise InvalidValueError(f"{name} must be at least 0, not {value}")
            if value > LARGEST_NOISE:
                raise InvalidValueError(f"{name} must be at most {LARGEST_NOISE:g}, not {value:g}")
        for name in ("dac_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits not in (0, *range(2, 17)):
                raise InvalidValueError(f"{name} must be 0 (ideal) or 2 to 16, not {bits}")

    def settings(self) -> dict[str, float]:
        """Return all settings but the name and the technology, as numbers, by table column.

        Surrogates use them as features.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("name", "technology")}
        values["batch_norm"] = BATCH_NORMS.index(self.batch_norm)
        return {f"hw_{name}": float(value) for name, value in values.items()}

    @classmethod
    def of_settings(cls, technology: str, settings: Mapping[str, float], name: str = "") -> Self:
        """Create a chip from a technology and the result of `settings`. Missing settings get their defaults.

        Raises:
            InvalidValueError: a setting is unknown or out of range.
            UnknownNameError: the technology is unknown.
        """
        known = cls().settings()
        for key, value in settings.items():
            whole = key in known and not isinstance(getattr(cls(), key[3:]), float)
            wrong = key not in known or not math.isfinite(value) or (whole and value % 1 != 0)
            most = {"hw_batch_norm": len(BATCH_NORMS) - 1, "hw_drift_compensation": 1}.get(key, math.inf)
            if wrong or (most < math.inf and not 0 <= value <= most):
                raise InvalidValueError(f"{key} is {value:g}, which is not valid for a chip")
        kinds: dict[str, Any] = {key: type(getattr(cls(), key[3:])) for key in known}
        kinds["hw_batch_norm"] = lambda place: BATCH_NORMS[int(place)]
        return cls(name, technology, **{key[3:]: kinds[key](value) for key, value in settings.items()})

    def description(self) -> dict[str, float]:
        """Return the features that describe the chip to a surrogate: its settings and device errors."""
        return {**self.settings(), **TECHNOLOGIES[self.technology].device_errors}
