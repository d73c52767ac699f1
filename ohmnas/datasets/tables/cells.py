"""Validation of the cells of stores and tables: damaged cells are reported, never used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.errors import BrokenFileError, shown
from ohmnas.lookup import name_fault

COLUMN_TYPES: Final = {
    **dict.fromkeys(schema.TEXT_COLUMNS, "TEXT"),
    **dict.fromkeys(schema.INTEGER_COLUMNS, "INTEGER"),
    **dict.fromkeys(schema.FLOAT_COLUMNS, "REAL"),
}
"""Column -> SQLite type; genes have `GENE_TYPE`."""
GENE_TYPE: Final = "INTEGER"
NAME_COLUMNS: Final = ("task", "hardware", "fidelity")
"""Columns with names that users choose."""
_MAY_MISS: Final = ("reason", *schema.CURVE_COLUMNS)
"""Text columns whose cells may be empty in a CSV."""
_LARGEST_WHOLE: Final = 2**53
"""Whole numbers must be smaller; from here on, reading a CSV as floating-point numbers can change values."""
_LARGEST_GENE: Final = 2**15 - 1
_LARGEST_REAL: Final = 1e100
"""Largest measured value; sums of many of them are still finite."""
_NEEDED: Final = {"TEXT": "a string", "INTEGER": "a whole number in its range", "REAL": "a number in its range"}


def column_type(column: str) -> str:
    """Return the SQLite type of a column or gene."""
    return COLUMN_TYPES.get(column, GENE_TYPE)


def plain(value: object) -> object:
    """Convert a cell to a Python value: NumPy scalars to Python scalars, missing values to None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value


def fits(column: str, value: object) -> bool:
    """Return True if a column may hold a `plain` value. REAL columns may hold None, as in failed measurements."""
    kind = column_type(column)
    if kind == "TEXT":
        return isinstance(value, str) and "\0" not in value
    if kind == "REAL":
        return value is None or (type(value) in (int, float) and abs(value) <= _LARGEST_REAL)  # type: ignore[arg-type]
    if type(value) is not int:
        return False
    return 0 <= value <= _LARGEST_GENE if column not in COLUMN_TYPES else abs(value) < _LARGEST_WHOLE


def cell_fault(column: str, value: object) -> str:
    """Describe an invalid cell for a message; empty if the cell is valid."""
    if not fits(column, value):
        return f"{column} is {'empty' if value is None else shown(value)}, not {_NEEDED[column_type(column)]}"
    if column in NAME_COLUMNS and (why := name_fault(str(value))):
        return f"{column} is {shown(value)}, but {why}"
    return ""


def damage(columns: Iterable[str]) -> str:
    """Return an SQL condition for rows with an invalid cell in these columns (`fits`)."""
    return " OR ".join(map(_damaged, columns))


def _damaged(column: str) -> str:
    name, kind = f'"{column}"', column_type(column)
    if kind == "TEXT":
        return f"typeof({name})!='text' OR instr({name}, char(0))"
    if kind == "REAL":
        return f"typeof({name}) IN ('text', 'blob') OR {name} NOT BETWEEN {-_LARGEST_REAL} AND {_LARGEST_REAL}"
    low, high = (0, _LARGEST_GENE) if column not in COLUMN_TYPES else (1 - _LARGEST_WHOLE, _LARGEST_WHOLE - 1)
    return f"typeof({name})!='integer' OR {name} NOT BETWEEN {low} AND {high}"


def typed(frame: pd.DataFrame, path: Path, genes: Sequence[str]) -> pd.DataFrame:
    """Return the columns of a table, converted to numbers and strings, with a new index.

    Args:
        frame: rows from a file or from a caller.
        path: path for messages.
        genes: gene names.

    Raises:
        BrokenFileError: a column is missing or duplicated, or a cell has the wrong type.
    """
    if not isinstance(frame, pd.DataFrame) or isinstance(frame.columns, pd.MultiIndex):
        raise BrokenFileError(f"{path} needs a data frame with the columns of a table, without a multi-index")
    columns = schema.columns(genes)
    for column in columns:
        if (times := int((frame.columns == column).sum())) != 1:
            raise BrokenFileError(f"{path} {'repeats' if times else 'lacks'} the column {column!r}")
    frame = frame[list(columns)].reset_index(drop=True)
    texts = {column: _texts(frame, column, path) for column in schema.TEXT_COLUMNS}
    numbers = {column: _numbers(frame, column, path) for column in columns if column not in texts}
    return pd.DataFrame({column: texts[column] if column in texts else numbers[column] for column in columns})


def _texts(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    cells = frame[column]
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(object)
    may_miss = column in _MAY_MISS
    wrong = [not (isinstance(cell, str) or (may_miss and _is_missing(cell))) for cell in cells.tolist()]
    reject(path, frame, np.array(wrong, dtype=bool), column, "string")
    return cells


def _numbers(frame: pd.DataFrame, column: str, path: Path) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    cells, needed = frame[column], "valid number"
    missing = np.zeros(len(cells), dtype=bool)
    values = cells.to_numpy()
    if values.dtype.kind not in "iuf":
        each = cells.tolist()
        missing = np.array([_is_missing(cell) for cell in each], dtype=bool)
        odd = np.array([not _may_be_number(cell) for cell in each], dtype=bool)
        reject(path, frame, odd & ~missing, column, needed)
        values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    elif values.dtype.kind == "f":
        missing = np.isnan(values)
    whole = column_type(column) == "INTEGER"
    wrong = np.isnan(values) & (whole | ~missing) if values.dtype.kind == "f" else missing
    if whole:
        wrong |= ~((values > -_LARGEST_WHOLE) & (values < _LARGEST_WHOLE)) | (values != np.floor(values))
    reject(path, frame, wrong, column, needed)
    return values.astype(np.int64) if whole else values.astype(np.float64)


def _may_be_number(cell: object) -> bool:
    """Return True if pandas can convert a cell to a number."""
    if isinstance(cell, int):  # of any size
        return abs(cell) < _LARGEST_REAL
    return isinstance(cell, float | str | np.number)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def reject(path: Path, frame: pd.DataFrame, wrong: npt.NDArray[np.bool_], column: str, needed: str) -> None:
    """Raise an error for the first invalid cell.

    Raises:
        BrokenFileError: there is an invalid cell.
    """
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BrokenFileError(f"{path}, row {row + 1}: {column} is {cell_text(frame, column, row)}, not a {needed}")


def cell_text(frame: pd.DataFrame, column: str, row: int) -> str:
    """Format a cell for a message."""
    value = frame[column].iloc[row]
    return "empty" if _is_missing(value) else shown(value.item() if isinstance(value, np.generic) else value)
