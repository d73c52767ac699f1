"""Look up chips by name: presets and their variants."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Final

from ohmnas.errors import InvalidValueError
from ohmnas.hardware.settings import Hardware
from ohmnas.hardware.technologies import TECHNOLOGIES
from ohmnas.lookup import check_name
from ohmnas.registry import Registry


def preset(technology: str) -> Hardware:
    """Return the preset chip of a technology; both have the same name.

    Raises:
        UnknownNameError: the technology is unknown.
        PluginError: the plugin of the technology cannot be used.
        InvalidValueError: a setting of the technology is unknown or out of range.
    """
    known = {one.name for one in fields(Hardware)} - {"name", "technology"}
    if unknown := sorted(TECHNOLOGIES[technology].settings.keys() - known):
        raise InvalidValueError(f"the technology {technology} sets {', '.join(unknown)}, which a chip does not have")
    return Hardware(name=technology, technology=technology, **TECHNOLOGIES[technology].settings)


IDEAL: Final = Hardware(
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
"""A chip without noise, drift or rounding. It computes exactly."""

HERMES: Final = preset("hermes")
"""IBM's 64-core chip of phase-change memory: 256 x 256 tiles, two devices for each sign of a weight."""
RERAM: Final = preset("reram")
"""A chip of oxide ReRAM (conductive metal oxide on HfOx): 512 x 512 tiles, one device per weight."""


def _fault(name: str, thing: object) -> str:
    if not isinstance(thing, Hardware):
        return f"it is of type {type(thing).__name__}, not an ohmnas.Hardware"
    return "" if thing.name == name else f"the name of the chip is {thing.name!r}"


def _ideal() -> Hardware:
    return IDEAL


_OURS: Final[dict[str, Callable[[], Hardware]]] = {name: partial(preset, name) for name in TECHNOLOGIES.own}
PRESETS: Final[Registry[Hardware]] = Registry("hardware", "ohmnas.chips", {**_OURS, "ideal": _ideal}, _fault)
"""Name -> chip: one for each built-in technology, `IDEAL`, and the chips of plugins. `pcm` follows aihwkit's
`StandardHWATrainingPreset`."""

VARIED = "varied"
"""Prefix of the group names of `varied` chips. It is reserved: the name of a chip in a file cannot start with it."""
_VARIED = re.compile(r"(.+)-t([1-9][0-9]{0,8})-d(0|[1-9][0-9]?)-a(0|[1-9][0-9]?)")


def varied(technology: str, tile: int, dac_bits: int, adc_bits: int) -> Hardware:
    """Return a technology's preset with the given tiles and converters. Its name has the form ``pcm-t256-d8-a7``.

    Args:
        technology: one of `TECHNOLOGIES`.
        tile: rows and columns of a tile.
        dac_bits: bits of the input converters.
        adc_bits: bits of the output converters.

    Raises:
        UnknownNameError: the technology is unknown.
        PluginError: the plugin of the technology cannot be used.
        InvalidValueError: a setting is out of range.
    """
    check_name("technology", TECHNOLOGIES, technology)
    name = f"{technology}-t{tile}-d{dac_bits}-a{adc_bits}"
    return replace(
        preset(technology), name=name, tile_rows=tile, tile_columns=tile, dac_bits=dac_bits, adc_bits=adc_bits
    )


def settings_of(name: str) -> tuple[str, int, int, int] | None:
    """Return technology, tile, DAC bits and ADC bits from the name of a `varied` chip; None for other names."""
    match = _VARIED.fullmatch(name)
    if match is None or match[1] not in TECHNOLOGIES:
        return None
    return match[1], int(match[2]), int(match[3]), int(match[4])


def is_varied(name: str) -> bool:
    """Return True for the name of a `varied` chip."""
    return settings_of(name) is not None


def named(name: str) -> Hardware:
    """Return the chip with this name: a preset, a technology's preset, or a `varied` chip.

    Raises:
        UnknownNameError: the name is unknown; the message lists presets and technologies.
        PluginError: the plugin of the chip or of its technology cannot be used.
        InvalidValueError: a number in the name of a `varied` chip is out of range.
    """
    if name in PRESETS.own:
        return PRESETS[name]
    if settings := settings_of(name):
        return varied(*settings)
    if name in PRESETS or name not in TECHNOLOGIES:
        check_name("hardware", [*PRESETS, *(other for other in TECHNOLOGIES if other not in PRESETS)], name)
        return PRESETS[name]
    return preset(name)


def has_name(name: str) -> bool:
    """Return True if `named` knows the name. Chips with other names come from files."""
    return name in PRESETS or is_varied(name) or name in TECHNOLOGIES


def kind_of(name: str) -> str:
    """Return the group name of a chip: ``varied-pcm`` for all variants of a preset, else its own name."""
    settings = settings_of(name)
    return f"{VARIED}-{settings[0]}" if settings else name
