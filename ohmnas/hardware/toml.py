"""Load a chip by its name or from a TOML file."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError, in_short, shown
from ohmnas.files import read_text
from ohmnas.hardware.presets import VARIED, has_name
from ohmnas.hardware.presets import named as _named
from ohmnas.hardware.settings import Hardware
from ohmnas.lookup import check_plain_name

LARGEST_TEXT, LONGEST_TEXT = 1 << 16, 1 << 12
"""Largest size of a chip's file in bytes, and largest number of characters without comment lines. The time and memory
of Python's TOML parser can grow with the square of the length."""
LARGEST_NUMBER = 10**18 - 1


def hardware(name: str | Path) -> Hardware:
    """Return a preset, one of its variants such as ``pcm-t256-d8-a7``, or the chip in a TOML file.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
        PluginError: the plugin of the chip or of its technology cannot be used.
        InvalidValueError: the file cannot be read or does not describe a chip, or a number in the name is out of range.
    """
    name = str(name)
    if name.endswith(".toml"):
        return read_hardware(name)
    return _named(name)


def read_hardware(path: str | Path) -> Hardware:
    """Read a chip from a TOML file with settings of `Hardware`.

    The optional setting `base` names the preset to start from; the default is pcm. If the file sets no `name`, the chip
    is named after the file.

    Raises:
        InvalidValueError: the file cannot be read; a setting is unknown, has the wrong type or is out of range; or the
            name is not allowed or belongs to another chip.
        UnknownNameError: the base or the technology is unknown.
        PluginError: the plugin of the base or of the technology cannot be used.
    """
    path = Path(path)
    try:
        text = read_text(path, LARGEST_TEXT)
    except BrokenFileError as error:
        raise InvalidValueError(str(error)) from error
    length = sum(len(line) for line in text.splitlines() if not line.lstrip().startswith("#"))
    if length > LONGEST_TEXT:
        raise InvalidValueError(f"{path} has {length:,} characters without its comments; the limit is {LONGEST_TEXT:,}")
    try:
        values = tomllib.loads(text)
    except (ValueError, OverflowError) as error:  # ValueError also for numbers with too many digits
        raise InvalidValueError(f"{path} is not TOML: {in_short(error, 200)}") from error
    except RecursionError as error:
        raise InvalidValueError(f"{path} does not describe a chip: its values are nested too deeply") from error
    try:
        chip = _described(values, path.stem)
    except OhmnasError as error:
        raise type(error)(f"{path}: {error}") from error
    return chip


def _described(values: dict[str, Any], stem: str) -> Hardware:
    """Create a chip from the values of a file; `stem` is the default name."""
    preset = values.pop("base", "pcm")
    if not isinstance(preset, str):
        raise InvalidValueError(f"base is {shown(preset)}, but must be the name of a preset")
    base = _named(preset)
    known = {field.name: type(field.default) for field in fields(Hardware)}
    settings: dict[str, Any] = {"name": stem}
    for name, value in values.items():
        kind = known.get(name)
        if kind is None:
            raise InvalidValueError(f"a chip has no setting {shown(name)}; it has {', '.join(known)}")
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise InvalidValueError(f"{name} is {shown(value)}, but must be {_KINDS[kind]}")
        if type(value) is int and abs(value) > LARGEST_NUMBER:
            raise InvalidValueError(f"{name} is {shown(value)}; use at most 18 digits")
        settings[name] = kind(value)
    named = settings["name"]
    check_plain_name("chip", named)
    if named.endswith(".toml"):
        raise InvalidValueError(f"a chip cannot be called {shown(named)}: a name must not end in .toml")
    if named.startswith(VARIED):
        raise InvalidValueError(f"names that begin with {VARIED!r} are reserved for groups of chips; choose another")
    chip = replace(base, **settings)
    if has_name(named) and not _is_named(chip, named):
        raise InvalidValueError(f"the name {named!r} belongs to another chip; choose another")
    return chip


def _is_named(chip: Hardware, name: str) -> bool:
    """Return True if the name stands for exactly this chip; False also for names that stand for no valid chip."""
    with suppress(OhmnasError):
        return chip == _named(name)
    return False


_KINDS = {str: "a string", float: "a number", int: "a whole number", bool: "true or false"}
