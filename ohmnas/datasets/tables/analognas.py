"""Read architectures from IBM/analog-nas (Benmeziane et al., IEEE EDGE 2023): configurations and CSV files.

A configuration has the keys ``out_channel0, M, R1..R5, convblock1..5, widenfact1..5, B1..B5``. Its network lies in the
ResNet-like space (`spaces.resnet`) if each block is of type A or B (numbers 1 and 2) and widens by a whole factor.
The published code divides by factors below 1 (``channels // factor``), so 0.5 doubles the channels. Both published and
converted networks have a 7x7 stem and skips in every block. They differ in two details for which the space has no gene:
the published stem loses pixels at the border, and different blocks have stride 2.

The repository once had three CSV files with labels. This module reads them, but the labels are not measurements: in two
of the files, the accuracies are uniform noise.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ohmnas.errors import BrokenFileError, InvalidValueError, shown
from ohmnas.files import read_text
from ohmnas.spaces.resnet.architecture import Architecture, ConvType, MainBlock

BLOCKS: Final = 5
STEM_KERNEL: Final = 7
LABELS: Final = {"1_day_accuracy": "accuracy_1d", "1_day_accuracy_std": "accuracy_1d_std", "AVM": "avm"}
"""Column of the CSV files -> target. The AVM of these files is in percentage points."""
_OF_BLOCK: Final = ("R", "convblock", "widenfact", "B")
_TYPES: Final[dict[object, ConvType]] = {"A": "A", "1": "A", "B": "B", "2": "B"}
_LARGEST: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class ForeignRows:
    """Rows of a CSV file from IBM/analog-nas."""

    architectures: tuple[Architecture, ...]
    """Converted architectures, in the order of the file."""
    labels: tuple[dict[str, float], ...]
    """For each architecture: target -> label, a fraction; empty if the file has no labels."""
    refused: dict[int, str]
    """Row number, counted from 1 -> reason, for each row whose network is not in the space."""


def from_configuration(configuration: Mapping[str, object]) -> Architecture:
    """Convert a configuration.

    Args:
        configuration: dictionary in the format of IBM/analog-nas; values may be numbers or strings.

    Raises:
        InvalidValueError: a key is missing, a value is invalid, or the network is not in the space; the message names
            the key.
    """
    if not isinstance(configuration, Mapping):
        raise InvalidValueError(f"a configuration must be a dictionary, not {shown(configuration)}")
    stem, count = _whole(configuration, "out_channel0"), _whole(configuration, "M")
    if not 1 <= count <= BLOCKS:
        raise InvalidValueError(f"M is {count}, but networks have 1 to {BLOCKS} main blocks")
    blocks, channels = [], stem
    for number in range(1, count + 1):
        repeats, branches = (_whole(configuration, f"{name}{number}") for name in ("R", "B"))
        widening = _widening(configuration, f"widenfact{number}", channels)
        channels *= widening
        kind = _type(configuration, f"convblock{number}")
        try:
            blocks.append(MainBlock(repeats, branches, kind, widening, skip=True))
        except InvalidValueError as error:
            raise InvalidValueError(f"main block {number}: {error}") from error
    return Architecture(stem, STEM_KERNEL, tuple(blocks))


def read_configurations(path: str | Path) -> ForeignRows:
    """Read a CSV file: one configuration per row, with or without labels, or one key and value per row.

    Raises:
        BrokenFileError: the file is not a CSV file from IBM/analog-nas.
    """
    path = Path(path)
    try:
        rows = [row for row in csv.reader(io.StringIO(read_text(path, _LARGEST)), strict=True) if row]
    except csv.Error as error:
        raise BrokenFileError(f"{path} is not a CSV: {error}") from error
    if rows and len(rows[0]) == 2 and "M" in {row[0] for row in rows}:  # key and value
        rows = [list(column) for column in zip(*(row[:2] for row in rows if len(row) >= 2), strict=True)]
    header = [name.strip() for name in rows[0]] if rows else []
    if missing := [name for name in ("out_channel0", "M") if name not in header]:
        raise BrokenFileError(f"{path} is not a file from analog-nas: it lacks the column {missing[0]}")
    if twice := [name for name in dict.fromkeys(header) if header.count(name) > 1]:
        raise BrokenFileError(f"{path} is not a file from analog-nas: the column {shown(twice[0])} appears twice")
    architectures, labels, refused = [], [], {}
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise BrokenFileError(f"{path}, row {number}: {len(row)} cells, but {len(header)} columns")
        values = dict(zip(header, row, strict=True))
        own = _labels(path, number, values)
        try:
            architectures.append(from_configuration(values))
        except InvalidValueError as error:
            refused[number] = str(error)
        else:
            labels.append(own)
    return ForeignRows(tuple(architectures), tuple(labels), refused)


def _labels(path: Path, number: int, values: Mapping[str, str]) -> dict[str, float]:
    found = {}
    for column, target in LABELS.items():
        if column in values:
            value = _number(values[column]) / (100.0 if target == "avm" else 1.0)
            if not abs(value) <= 1.0:
                raise BrokenFileError(f"{path}, row {number}: {column} is {shown(values[column])}, not a label")
            found[target] = value
    return found


def _value(configuration: Mapping[str, object], key: str) -> object:
    if key not in configuration:
        raise InvalidValueError(f"the configuration has no {key}")
    value = configuration[key]
    return value.strip() if isinstance(value, str) else value


def _number(value: object) -> float:
    """Return the value as a number; NaN if it is not a number."""
    try:
        return float(value) if isinstance(value, str) or hasattr(value, "__float__") else math.nan
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _whole(configuration: Mapping[str, object], key: str) -> int:
    value = _value(configuration, key)
    number = _number(value)
    if not (abs(number) < 2**31 and number == int(number)):
        raise InvalidValueError(f"{key} is {shown(value)}, not a whole number")
    return int(number)


def _type(configuration: Mapping[str, object], key: str) -> ConvType:
    value: Any = _value(configuration, key)
    number = _number(value)
    text = f"{number:.0f}" if number in (1.0, 2.0) else value
    if isinstance(text, str) and text in _TYPES:
        return _TYPES[text]
    raise InvalidValueError(f"{key} is {shown(value)}, but the space has only blocks of type A (1) and B (2)")


def _widening(configuration: Mapping[str, object], key: str, channels: int) -> int:
    value = _value(configuration, key)
    factor = _number(value)
    if not 0.0 < factor < 2**31:
        raise InvalidValueError(f"{key} is {shown(value)}, not a factor above 0")
    after = channels // factor if factor < 1.0 else channels * factor
    if channels < 1 or after % channels:
        raise InvalidValueError(
            f"{key} is {shown(value)}, which makes {after:g} of {channels} channels; the space has whole multiples only"
        )
    return int(after // channels)
