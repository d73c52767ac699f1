"""`Hardware`: one analog in-memory computing chip as a frozen record with units; presets by name."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError, in_short, shown
from ohmnas.files import read_text
from ohmnas.lookup import check_plain_name, look_up

TECHNOLOGIES = {"pcm": "PCMLikeNoiseModel", "hermes": "HermesNoiseModel", "reram": "ReRamCMONoiseModel"}
"""Device technology -> its noise model in aihwkit."""
BATCH_NORMS = ("trained", "adaptive")
"""Where batch norm statistics come from; tables have the place in this list (`hw_batch_norm`)."""
SMALLEST_CONDUCTANCE = {"reram": 9.0}
"""uS; g_min of aihwkit's model of a technology's single devices: weights are between it and g_max."""
LARGEST_CONDUCTANCE = {"hermes": 20.7}
"""uS; up to where a technology's devices were measured."""
RANGES = {"g_max": (1e-3, 1e6), "adc_bound": (1e-6, 1e6)}
"""Smallest and largest value of a size. Beyond, squares and quotients of it leave float32."""
LARGEST_NOISE = 1e3
"""Of standard deviations and scales: a thousand times the measured device; likewise."""
LARGEST_TILE = 999_999_999
"""Rows or columns; more than any layer has, so that a larger tile would be no other chip."""
DEVICE_ERRORS = {
    "pcm": {"device_spread_1d": 0.053, "device_spread_1mo": 0.061, "device_offset_1d": 0.0},
    "hermes": {"device_spread_1d": 0.068, "device_spread_1mo": 0.091, "device_offset_1d": 0.0},
    "reram": {"device_spread_1d": 0.023, "device_spread_1mo": 0.027, "device_offset_1d": -0.025},
}
"""Technology -> standard deviation of the errors of weights a day and a month after programming, and their mean after a
day, in units of a tile's largest weight; behind drift compensation. Read off aihwkit's noise models (tests/analog)."""


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
    batch_norm: str = "trained"
    """Statistics of the batch norms, one of `BATCH_NORMS`: those of the training, or averaged over calibration images
    on the programmed and drifted chip before each reading (V. Joshi et al., Nature Communications 2020)."""
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
        look_up("batch norm", dict.fromkeys(BATCH_NORMS), self.batch_norm)
        for name, (smallest, largest) in RANGES.items():
            value = getattr(self, name)
            if not value > 0 or not math.isfinite(value):
                raise InvalidValueError(f"{name} must be above 0, not {value}")
            if not smallest <= value <= largest:
                raise InvalidValueError(f"{name} must be {smallest:g} to {largest:g}, not {value:g}")
        low, high = SMALLEST_CONDUCTANCE.get(self.technology, 0.0), LARGEST_CONDUCTANCE.get(self.technology, math.inf)
        if not self.g_max <= high:
            raise InvalidValueError(f"g_max of {self.technology} is at most {high} uS, not {self.g_max}")
        if not self.g_max > low:
            raise InvalidValueError(f"g_max of {self.technology} is above its g_min of {low} uS, not {self.g_max}")
        for name in ("tile_rows", "tile_columns"):
            if not getattr(self, name) >= 1 or getattr(self, name) % 1 != 0:
                raise InvalidValueError(f"{name} must be a whole number above 0, not {getattr(self, name)}")
            if getattr(self, name) > LARGEST_TILE:
                raise InvalidValueError(f"{name} must be at most {LARGEST_TILE}, not {getattr(self, name)}")
        for name in ("output_noise", "programming_noise", "read_noise", "drift", "training_noise", "clip_sigma"):
            value = getattr(self, name)
            if not value >= 0 or not math.isfinite(value):
                raise InvalidValueError(f"{name} must be 0 or more, not {value}")
            if value > LARGEST_NOISE:
                raise InvalidValueError(f"{name} must be at most {LARGEST_NOISE:g}, not {value:g}")
        for name in ("dac_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits not in (0, *range(2, 17)):
                raise InvalidValueError(f"{name} must be 0 (ideal) or 2 to 16, not {bits}")

    def settings(self) -> dict[str, float]:
        """The numbers that describe the chip, by table column; the surrogate's features are among them."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("name", "technology")}
        values["batch_norm"] = BATCH_NORMS.index(self.batch_norm)
        return {f"hw_{name}": float(value) for name, value in values.items()}

    @classmethod
    def of_settings(cls, technology: str, settings: Mapping[str, float], name: str = "") -> Self:
        """The chip of a technology whose `settings` are these.

        Raises:
            InvalidValueError, UnknownNameError: a setting is out of range, or the technology unknown.
        """
        known = cls().settings()
        for key, value in settings.items():
            whole = key in known and not isinstance(getattr(cls(), key[3:]), float)
            wrong = key not in known or not math.isfinite(value) or (whole and value % 1 != 0)
            if wrong or (key == "hw_batch_norm" and not 0 <= value < len(BATCH_NORMS)):
                raise InvalidValueError(f"{key} is {value:g}, which no chip has")
        kinds: dict[str, Any] = {key: type(getattr(cls(), key[3:])) for key in known}
        kinds["hw_batch_norm"] = lambda place: BATCH_NORMS[int(place)]
        return cls(name, technology, **{key[3:]: kinds[key](value) for key, value in settings.items()})

    def description(self) -> dict[str, float]:
        """What a surrogate knows of the chip: its settings and the errors of its devices."""
        return {**self.settings(), **DEVICE_ERRORS[self.technology]}


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

HERMES = Hardware(name="hermes", technology="hermes", g_max=20.7, tile_rows=256, tile_columns=256)
"""IBM's 64-core PCM chip: crossbars of 256 x 256, four devices a weight (Le Gallo et al., Nature Electronics 2023)."""

RERAM = Hardware(name="reram", technology="reram", g_max=88.2)
"""The `pcm` preset's tiles and converters around conductive-metal-oxide/HfOx ReRAM."""

PRESETS = {preset.name: preset for preset in (Hardware(), HERMES, RERAM, IDEAL)}
"""Name -> chip. `pcm` follows aihwkit's standard setting for hardware-aware training and its PCM model."""


LARGEST_TEXT, LONGEST_TEXT = 1 << 16, 1 << 12
"""Bytes of a chip's file, and characters of it without lines of comments, at most. The time and memory that Python
needs for TOML can grow with the square of its length."""
LARGEST_NUMBER = 10**18 - 1

VARIED = "varied"
"""What chips are counted as that are `varied` from presets; no chip of one's own is called so."""
_VARIED = re.compile(rf"({'|'.join(TECHNOLOGIES)})-t([1-9][0-9]{{0,8}})-d(0|[1-9][0-9]?)-a(0|[1-9][0-9]?)")


def varied(technology: str, tile: int, dac_bits: int, adc_bits: int) -> Hardware:
    """The preset of a technology with other tiles and converters, named after them: ``pcm-t256-d8-a7``.

    Args:
        technology: one of `TECHNOLOGIES`.
        tile: rows and columns of a tile.
        dac_bits: of the input converters.
        adc_bits: of the output converters.

    Raises:
        UnknownNameError: the technology is unknown.
        InvalidValueError: a setting is out of range.
    """
    name = f"{technology}-t{tile}-d{dac_bits}-a{adc_bits}"
    base: Hardware = look_up("technology", {name: PRESETS[name] for name in TECHNOLOGIES}, technology)
    return replace(base, name=name, tile_rows=tile, tile_columns=tile, dac_bits=dac_bits, adc_bits=adc_bits)


def is_varied(name: str) -> bool:
    """Whether a chip is called like one of `varied`."""
    return _VARIED.fullmatch(name) is not None


def has_name(name: str) -> bool:
    """Whether a chip is known by this name alone: a preset, or one that is `varied` from it; others are in files."""
    return name in PRESETS or is_varied(name)


def kind_of(name: str) -> str:
    """What a chip is counted with: all that are `varied` from a preset, such as ``varied-pcm``, or it alone."""
    settings = _VARIED.fullmatch(name)
    return f"{VARIED}-{settings[1]}" if settings else name


def hardware(name: str) -> Hardware:
    """The preset of that name, one of its variations such as ``pcm-t256-d8-a7``, or the chip of a TOML file.

    Raises:
        UnknownNameError: there is no such preset; the message lists all.
        InvalidValueError: the file cannot be read, or does not describe a chip.
    """
    if name.endswith(".toml"):
        return read_hardware(Path(name))
    if settings := _VARIED.fullmatch(name):
        return varied(settings[1], *(int(number) for number in settings.groups()[1:]))
    return look_up("hardware", PRESETS, name)


def read_hardware(path: Path) -> Hardware:
    """A chip from a TOML file: settings of `Hardware`, and `base`, the preset that the others are taken from (pcm).

    Without a `name` the chip is called like the file.

    Raises:
        InvalidValueError: the file cannot be read, or a setting is unknown, of the wrong kind or out of range.
        UnknownNameError: it names a base or a technology that there is not.
    """
    try:
        text = read_text(path, LARGEST_TEXT)
    except BrokenFileError as error:
        raise InvalidValueError(str(error)) from error
    told = sum(len(line) for line in text.splitlines() if not line.lstrip().startswith("#"))
    if told > LONGEST_TEXT:
        raise InvalidValueError(
            f"{path} has {told:,} characters without its comments; a chip has at most {LONGEST_TEXT:,}"
        )
    try:
        values = tomllib.loads(text)
    except (ValueError, OverflowError) as error:  # the first also of numbers with too many digits
        raise InvalidValueError(f"{path} is not TOML: {in_short(error, 200)}") from error
    except RecursionError as error:
        raise InvalidValueError(f"{path} is not TOML of a chip: its values are nested too deeply") from error
    try:
        chip = _described(values, path.stem)
    except OhmnasError as error:
        raise type(error)(f"{path}: {error}") from error
    return chip


def _described(values: dict[str, Any], stem: str) -> Hardware:
    """The chip of a file's values; called like the file where they have no name."""
    preset = values.pop("base", "pcm")
    if not isinstance(preset, str):
        raise InvalidValueError(f"base is {shown(preset)}, but must be the name of a preset")
    base = look_up("hardware", PRESETS, preset)
    known = {field.name: type(getattr(base, field.name)) for field in fields(Hardware)}
    settings: dict[str, Any] = {"name": stem}
    for name, value in values.items():
        kind = known.get(name)
        if kind is None:
            raise InvalidValueError(f"a chip has no setting {shown(name)}; it has {', '.join(known)}")
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise InvalidValueError(f"{name} is {shown(value)}, but must be {_KINDS[kind]}")
        if type(value) is int and abs(value) > LARGEST_NUMBER:
            raise InvalidValueError(f"{name} is {shown(value)}, which no chip has")
        settings[name] = kind(value)
    named = settings["name"]
    check_plain_name("chip", named)
    if named.endswith(".toml"):
        raise InvalidValueError(f"a chip cannot be called {shown(named)}: tables and commands need a plain name")
    if named.startswith(VARIED):
        raise InvalidValueError(f"names that begin with {VARIED!r} are those of groups of chips; choose another")
    chip = replace(base, **settings)
    if has_name(named) and chip != hardware(named):
        raise InvalidValueError(f"the name {named!r} is that of another chip; choose another")
    return chip


_KINDS = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}
