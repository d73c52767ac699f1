"""Values of a result file by their kind: each is checked where it is read, and named where it is of another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ohmnas.errors import BrokenFileError, shown
from ohmnas.lookup import name_fault

LARGEST: Final = 2**53
"""Of a whole number; a larger one counts nothing and is no seed."""


def text(value: object, what: str) -> str:
    """The value, if it is a text; `what` it is, for the message."""
    if not isinstance(value, str):
        raise BrokenFileError(f"its {what} is {shown(value)}, not a text")
    return value


def name(value: object, what: str) -> str:
    """The value, if it is a plain name (`lookup.name_fault`)."""
    if why := name_fault(text(value, what)):
        raise BrokenFileError(f"its {what} is {shown(value)}, but {why}")
    return str(value)


def whole(value: object, what: str, least: int = 0, most: int = LARGEST) -> int:
    """The value, if it is a whole number in a range."""
    if type(value) is not int or not least <= value <= most:
        raise BrokenFileError(f"its {what} is {shown(value)}, not a whole number from {least} to {most}")
    return value


def is_number(value: object) -> bool:
    """Whether a value is a finite number that a float can be."""
    if type(value) is int:
        return abs(value) <= LARGEST
    return isinstance(value, float) and math.isfinite(value)


def number(value: object, what: str) -> float:
    """The value, if it is a finite number."""
    if not is_number(value):
        raise BrokenFileError(f"its {what} is {shown(value)}, not a finite number")
    return float(value)  # type: ignore[arg-type]


def mapping(value: object, what: str) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise BrokenFileError(f"its {what} is {shown(value)}, not an object")
    return value


def sequence(value: object, what: str) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise BrokenFileError(f"its {what} is no list")
    return value


def plain(value: object, what: str) -> object:
    """The value, if it is a text, true or false, a finite number, or nothing."""
    if not isinstance(value, str | bool | None) and not is_number(value):
        raise BrokenFileError(f"its {what} is {shown(value)}, neither a text nor a finite number")
    return value


def as_json(value: Any) -> Any:
    """A value with NumPy's numbers and arrays as JSON has them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list | tuple) else value
