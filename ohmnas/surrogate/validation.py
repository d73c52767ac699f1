"""Checks of the values in the header of a saved surrogate."""

from __future__ import annotations

import math
from typing import Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, HIGH, LOW

LARGEST_COUNT: Final = 2**53
"""Largest number of rows, parameters or MACs: a float represents every whole number up to it exactly."""


def whole(value: object, low: int, high: int, name: str) -> int:
    """Return the value if it is a whole number from low to high.

    Raises:
        InvalidValueError: the value has the wrong type or is out of range; the message contains the name.
    """
    if type(value) is not int or not low <= value <= high:
        raise InvalidValueError(f"{name} must be a whole number from {low} to {high}")
    return value


def finite(value: object, low: float, high: float, name: str) -> float:
    """Return the value if it is a finite number from low to high.

    Raises:
        InvalidValueError: the value has the wrong type or is out of range; the message contains the name.
    """
    if type(value) not in {int, float}:
        raise InvalidValueError(f"{name} must be a number")
    number = _float(value)
    if not (math.isfinite(number) and low <= number <= high):
        raise InvalidValueError(f"{name} must be a finite number from {low:g} to {high:g}")
    return number


def check_provenance(provenance: object) -> dict[str, Any]:
    """Return the provenance of a surrogate if it is complete.

    Args:
        provenance: as `TrainingSet.provenance`; further keys may hold strings or numbers.

    Raises:
        InvalidValueError: a value is missing or invalid.
    """
    if not isinstance(provenance, dict):
        raise InvalidValueError("provenance must be an object")
    chip = provenance.get("chip", {})
    if not isinstance(chip, dict):
        raise InvalidValueError("provenance: chip must be an object")
    for key, value in [*provenance.items(), *chip.items()]:
        plain = isinstance(value, str | int | None) or (isinstance(value, float) and math.isfinite(value))
        if key not in {"seen", "chip", "versions"} and not plain:  # it is copied into results, which are JSON
            raise InvalidValueError(f"provenance: {key} must be a string or a finite number")
    for key in ("table_sha256", "task", "hardware", "fidelity"):
        if not isinstance(provenance.get(key), str):
            raise InvalidValueError(f"provenance: {key} must be a string")
    whole(provenance.get("rows"), 1, LARGEST_COUNT, "provenance: rows")
    versions = provenance.get("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(version, str) for version in versions.values()):
        raise InvalidValueError("provenance: versions must map packages to strings")
    seen = provenance.get("seen")
    if not isinstance(seen, dict) or set(seen) - {"chips"} != {"min_params", "max_params", "max_macs"}:
        raise InvalidValueError("provenance: seen must have min_params, max_params and max_macs")
    _check_chips(seen.get("chips", {}))
    least = whole(seen["min_params"], 0, LARGEST_COUNT, "provenance: seen.min_params")
    whole(seen["max_params"], max(least, 1), LARGEST_COUNT, "provenance: seen.max_params")
    whole(seen["max_macs"], 1, LARGEST_COUNT, "provenance: seen.max_macs")
    return provenance


def _check_chips(seen: object) -> None:
    """Check the bounds of the chip genes, if there are any."""
    if not isinstance(seen, dict) or not set(seen) <= set(CHIP_GENE_NAMES):
        raise InvalidValueError(f"provenance: seen.chips may only have {', '.join(CHIP_GENE_NAMES)}")
    for name, low, high in zip(CHIP_GENE_NAMES, LOW.tolist(), HIGH.tolist(), strict=True):
        ends = seen.get(name, [low, high])
        if not isinstance(ends, list) or len(ends) != 2:
            raise InvalidValueError(f"provenance: seen.chips.{name} must be a lower and an upper bound")
        least = whole(ends[0], low, high, f"provenance: seen.chips.{name}")
        whole(ends[1], least, high, f"provenance: seen.chips.{name}")


def _float(value: Any) -> float:
    """Convert to float; infinity if the number is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
