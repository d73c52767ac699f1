"""Check the types and ranges of values in JSON files.

The functions with an argument `what` return a valid value and raise a `BrokenFileError` for an invalid one; `what`
names the value in the message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ohmnas.errors import BrokenFileError, shown
from ohmnas.lookup import name_fault

LARGEST: Final = 2**53
"""Largest whole number accepted in a file."""
LARGEST_SIZE: Final = 65536
"""Largest number of channels, pixels along a side, or classes accepted in a file."""


def text(value: object, what: str) -> str:
    """Return the value if it is a string."""
    if not isinstance(value, str):
        raise BrokenFileError(f"its {what} is {shown(value)}, not a string")
    return value


def name(value: object, what: str) -> str:
    """Return the value if it is a plain name (`lookup.name_fault`)."""
    if why := name_fault(text(value, what)):
        raise BrokenFileError(f"its {what} is {shown(value)}, but {why}")
    return str(value)


def whole(value: object, what: str, least: int = 0, most: int = LARGEST) -> int:
    """Return the value if it is a whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise BrokenFileError(f"its {what} is {shown(value)}, not a whole number from {least} to {most}")
    return value


def is_number(value: object) -> bool:
    """Return True for a finite float, or a whole number up to 2^53 in magnitude, which a float represents exactly."""
    if type(value) is int:
        return abs(value) <= LARGEST
    return isinstance(value, float) and math.isfinite(value)


def number(value: object, what: str) -> float:
    """Return the value as a float if it is a number (`is_number`)."""
    if not is_number(value):
        raise BrokenFileError(f"its {what} is {shown(value)}, not a finite number")
    return float(value)  # type: ignore[arg-type]


def mapping(value: object, what: str) -> dict[str, Any]:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise BrokenFileError(f"its {what} is {shown(value)}, not an object")
    return value


def sequence(value: object, what: str) -> list[Any]:
    """Return the value if it is a list."""
    if not isinstance(value, list):
        raise BrokenFileError(f"its {what} is not a list")
    return value


def plain(value: object, what: str) -> object:
    """Return the value if it is a string, a boolean, a finite number or None."""
    if not isinstance(value, str | bool | None) and not is_number(value):
        raise BrokenFileError(f"its {what} is {shown(value)}, not a string, a boolean, a finite number or null")
    return value


def as_json(value: Any) -> Any:
    """Convert NumPy numbers and arrays to JSON values, including those inside mappings, lists and tuples."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list | tuple) else value
