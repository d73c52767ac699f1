"""What the cells of stores and tables may hold: a damaged one is found and named, not computed with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets import schema
from ohmnas.errors import BrokenFileError, shown
from ohmnas.lookup import name_fault
from ohmnas.spaces.genes import GENE_NAMES

COLUMN_TYPES: Final = {
    **dict.fromkeys(schema.TEXT_COLUMNS, "TEXT"),
    **dict.fromkeys(schema.INTEGER_COLUMNS, "INTEGER"),
    **dict.fromkeys(schema.FLOAT_COLUMNS, "REAL"),
}
"""Column -> its type in SQLite."""
NAME_COLUMNS: Final = ("task", "hardware", "fidelity")
"""Names that users choose."""
_MAY_MISS: Final = ("reason", *schema.CURVE_COLUMNS)
"""Texts that a CSV has as empty cells."""
_LARGEST_WHOLE: Final = 2**53
"""Beyond, a CSV that is read as floating-point numbers is another table."""
_LARGEST_GENE: Final = 2**15 - 1
_LARGEST_REAL: Final = 1e100
"""Beyond is no measurement; sums of smaller ones are finite."""
_NEEDED: Final = {"TEXT": "a text", "INTEGER": "a whole number it can be", "REAL": "a number it can be"}


def plain(value: object) -> object:
    """A cell as Python has it: NumPy's numbers are numbers, what is not there is None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def fits(column: str, value: object) -> bool:
    """Whether a column may hold a `plain` value; where a measurement failed, some numbers are not there."""
    kind = COLUMN_TYPES[column]
    if kind == "TEXT":
        return isinstance(value, str) and "\0" not in value
    if kind == "REAL":
        return value is None or (type(value) in (int, float) and abs(value) <= _LARGEST_REAL)  # type: ignore[arg-type]
    if type(value) is not int:
        return False
    return 0 <= value <= _LARGEST_GENE if column in GENE_NAMES else abs(value) < _LARGEST_WHOLE


def cell_fault(column: str, value: object) -> str:
    """What a message says of a cell that cannot be; empty for one that can."""
    if not fits(column, value):
        return f"{column} is {'empty' if value is None else shown(value)}, not {_NEEDED[COLUMN_TYPES[column]]}"
    if column in NAME_COLUMNS and (why := name_fault(str(value))):
        return f"{column} is {shown(value)}, but {why}"
    return ""


def damage(columns: Iterable[str]) -> str:
    """An SQL condition of rows with a cell in these columns that does not fit (`fits`)."""
    return " OR ".join(map(_damaged, columns))


def _damaged(column: str) -> str:
    name, kind = f'"{column}"', COLUMN_TYPES[column]
    if kind == "TEXT":
        return f"typeof({name})!='text' OR instr({name}, char(0))"
    if kind == "REAL":
        return f"typeof({name}) IN ('text', 'blob') OR {name} NOT BETWEEN {-_LARGEST_REAL} AND {_LARGEST_REAL}"
    low, high = (0, _LARGEST_GENE) if column in GENE_NAMES else (1 - _LARGEST_WHOLE, _LARGEST_WHOLE - 1)
    return f"typeof({name})!='integer' OR {name} NOT BETWEEN {low} AND {high}"


def typed(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """`schema.COLUMNS` of a frame, whatever its index: numbers as numbers, and texts as texts where there are some.

    Args:
        frame: of a file, or of a caller.
        path: for messages.

    Raises:
        BrokenFileError: a column is missing or there twice, or a cell is of another kind.
    """
    if not isinstance(frame, pd.DataFrame) or isinstance(frame.columns, pd.MultiIndex):
        raise BrokenFileError(f"{path} needs a data frame with the columns of a table, each called by one name")
    for column in schema.COLUMNS:
        if (times := int((frame.columns == column).sum())) != 1:
            raise BrokenFileError(f"{path} lacks the column {column!r}" if not times else f"{path} has two {column!r}")
    frame = frame[list(schema.COLUMNS)].reset_index(drop=True)
    texts = {column: _texts(frame, column, path) for column in schema.TEXT_COLUMNS}
    numbers = {column: _numbers(frame, column, path) for column in (*schema.INTEGER_COLUMNS, *schema.FLOAT_COLUMNS)}
    return pd.DataFrame({column: texts[column] if column in texts else numbers[column] for column in schema.COLUMNS})


def _texts(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    cells = frame[column]
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    may_miss = column in _MAY_MISS
    wrong = [not (isinstance(cell, str) or (may_miss and _is_missing(cell))) for cell in cells.tolist()]
    refuse(path, frame, np.array(wrong, dtype=bool), column, "text")
    return cells


def _numbers(frame: pd.DataFrame, column: str, path: Path) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    cells, needed = frame[column], "number it can be"
    missing = np.zeros(len(cells), dtype=bool)
    values = cells.to_numpy()
    if values.dtype.kind not in "iuf":
        each = cells.tolist()
        missing = np.array([_is_missing(cell) for cell in each], dtype=bool)
        odd = np.array([not _may_be_number(cell) for cell in each], dtype=bool)
        refuse(path, frame, odd & ~missing, column, needed)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    elif values.dtype.kind == "f":
        missing = np.isnan(values)
    whole = column in schema.INTEGER_COLUMNS
    wrong = np.isnan(values) & (whole | ~missing) if values.dtype.kind == "f" else missing
    if whole:
        wrong |= ~((values > -_LARGEST_WHOLE) & (values < _LARGEST_WHOLE)) | (values != np.floor(values))
    refuse(path, frame, wrong, column, needed)
    return values.astype(np.int64) if whole else values.astype(np.float64)


def _may_be_number(cell: object) -> bool:
    """Whether pandas can be asked for the number that a cell is."""
    if isinstance(cell, int):  # of any length
        return abs(cell) < _LARGEST_REAL
    return isinstance(cell, float | str | np.number)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def refuse(path: Path, frame: pd.DataFrame, wrong: npt.NDArray[np.bool_], column: str, needed: str) -> None:
    """Name the first of the cells that are of another kind.

    Raises:
        BrokenFileError: there is one.
    """
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BrokenFileError(f"{path}, row {row + 1}: {column} is {cell_text(frame, column, row)}, not a {needed}")


def cell_text(frame: pd.DataFrame, column: str, row: int) -> str:
    """What stands in a cell, as a message quotes it."""
    value = frame[column].iloc[row]
    return "empty" if _is_missing(value) else shown(value.item() if isinstance(value, np.generic) else value)
