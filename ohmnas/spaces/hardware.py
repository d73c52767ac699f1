"""`Hardware`: one analog in-memory computing chip as a frozen record with units; presets by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import look_up

TECHNOLOGIES = {"pcm": "PCMLikeNoiseModel"}
"""Device technology -> its noise model in aihwkit."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A chip. Outputs of a tile are in units of (full-scale input) x (weight at g_max), as in aihwkit."""

    name: str = "pcm"
    """What tables and commands call it."""
    technology: str = "pcm"
    """The device's noise model, one of `TECHNOLOGIES`."""
    g_max: float = 25.0
    """Largest conductance in uS: what the largest weight of a column is programmed to."""
    tile_rows: int = 512
    """Inputs of a crossbar tile; a layer with more is split evenly over several, each with its own converters."""
    tile_columns: int = 512
    """Outputs of a crossbar tile."""
    dac_bits: int = 8
    """Resolution of the input converters; symmetric, 2^bits - 1 levels. 0: ideal."""
    adc_bits: int = 8
    """Resolution of the output converters; symmetric, 2^bits - 1 levels. 0: ideal, also without bound."""
    adc_bound: float = 10.0
    """Output at which the ADC saturates."""
    output_noise: float = 0.04
    """Std of the Gaussian noise at each output of a tile, drawn anew at each reading."""
    programming_noise: float = 1.0
    """Scale of the technology's programming noise; 1 is the measured device, 0 is none."""
    read_noise: float = 1.0
    """Scale of the technology's 1/f read noise; 1 is the measured device, 0 is none."""
    drift: float = 1.0
    """Scale of the technology's drift exponents; 1 is the measured device, 0 is none."""
    drift_compensation: bool = True
    """Global drift compensation: each tile's outputs are scaled by how much its mean readout has decayed."""
    training_noise: float = 0.06
    """Std of the Gaussian noise on weights in training, relative to the largest of the column."""
    clip_sigma: float = 2.0
    """In training, weights are clipped at so many standard deviations of their layer. 0: not clipped."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            InvalidValueError: a setting is out of range.
            UnknownNameError: the technology is unknown.
        """
        look_up("technology", TECHNOLOGIES, self.technology)
        for name in ("g_max", "adc_bound"):
            if not getattr(self, name) > 0 or not math.isfinite(getattr(self, name)):
                raise InvalidValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("tile_rows", "tile_columns"):
            if not getattr(self, name) >= 1 or getattr(self, name) % 1 != 0:
                raise InvalidValueError(f"{name} must be a whole number above 0, not {getattr(self, name)}")
        for name in ("output_noise", "programming_noise", "read_noise", "drift", "training_noise", "clip_sigma"):
            if not getattr(self, name) >= 0 or not math.isfinite(getattr(self, name)):
                raise InvalidValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("dac_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits not in (0, *range(2, 17)):
                raise InvalidValueError(f"{name} must be 0 (ideal) or 2 to 16, not {bits}")

    def settings(self) -> dict[str, float]:
        """The numbers that describe the chip, by table column; the surrogate's features are among them."""
        numeric = (field.name for field in fields(self) if field.name not in ("name", "technology"))
        return {f"hw_{name}": float(getattr(self, name)) for name in numeric}


IDEAL = Hardware(
    name="ideal",
    dac_bits=0,
    adc_bits=0,
    output_noise=0.0,
    programming_noise=0.0,
    read_noise=0.0,
    drift=0.0,
    training_noise=0.0,
    clip_sigma=0.0,
)
"""A chip without any noise or rounding: what it computes is what the network computes."""

PRESETS = {preset.name: preset for preset in (Hardware(), IDEAL)}
"""Name -> chip. `pcm` follows aihwkit's standard setting for hardware-aware training and its PCM model."""


def hardware(name: str) -> Hardware:
    """The preset of that name.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    return look_up("hardware", PRESETS, name)
