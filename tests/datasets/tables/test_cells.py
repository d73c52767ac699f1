from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import cell_fault, column_type, damage, fits, plain, typed
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import BrokenFileError
from ohmnas.spaces.resnet.genes import GENE_NAMES

VALUES = (None, "", "x", "a\0b", b"x", -1, 0, 1.5, 2**15, 2**52, 2**53, -(2**53), 1e99, 1e101, float("inf"))


@pytest.mark.parametrize("column", ["task", "seed", "OC0", "train_seconds"])
@pytest.mark.parametrize("value", VALUES)
def test_sql_and_python_agree_on_what_fits(column: str, value: object) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f'CREATE TABLE rows ("{column}" {column_type(column)})')
        connection.execute("INSERT INTO rows VALUES (?)", (value,))
        (stored,) = connection.execute(f'SELECT "{column}" FROM rows').fetchone()  # noqa: S608
        found = connection.execute(f"SELECT 1 FROM rows WHERE {damage([column])}").fetchone()  # noqa: S608
    assert fits(column, stored) == (found is None)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("seed", None, "seed is empty, not a whole number"),
        ("seed", True, "seed is True"),
        ("train_seconds", "x", "train_seconds is 'x', not a number"),
        ("hardware", "\x1b[2J", r"hardware is '\\x1b\[2J', but a name must contain only printable"),
        ("task", "../x", "a name must not contain slashes"),
        ("fidelity", "=1", "spreadsheet"),
    ],
)
def test_a_fault_names_column_and_value(column: str, value: object, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert not cell_fault(column, value), cell_fault(column, value)
    assert cell_fault("train_seconds", None) == cell_fault("reason", "\n") == ""


def test_numbers_of_numpy_are_numbers() -> None:
    assert [type(plain(value)) for value in (np.int64(3), np.float32(0.5), np.bool_(True))] == [int, float, bool]
    assert plain(float("nan")) is plain(pd.NA) is plain(None) is None


def test_a_frame_is_taken_with_any_index_and_any_kind_of_column(rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES)))
    expected = typed(frame, Path("t.csv"), GENE_NAMES)
    other = frame.set_index(pd.MultiIndex.from_product([["a", "b"], range(3)]))
    other["seed"] = other["seed"].astype("Int64")
    other["task"] = other["task"].astype("category")
    other["params"] = other["params"].map(str)
    other["extra"] = 1
    pd.testing.assert_frame_equal(typed(other, Path("t.csv"), GENE_NAMES), expected, check_dtype=False)


@pytest.mark.parametrize("value", [[], {}, b"1", 1j, pd.Timestamp(0), object(), (1, 2), 10**400])
@pytest.mark.parametrize("column", ["seed", "train_seconds", "task", "reason"])
def test_a_cell_of_another_kind_is_named(column: str, value: object, rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES))).astype(object)
    frame[column] = pd.Series([value if row == 3 else cell for row, cell in enumerate(frame[column])], dtype=object)
    with pytest.raises(BrokenFileError, match=rf"t\.csv, row 4: {column} is "):
        typed(frame, Path("t.csv"), GENE_NAMES)


def test_invalid_columns_are_one_sentence(rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES)))
    levels = frame.set_axis(pd.MultiIndex.from_product([frame.columns, ["x"]]), axis=1)
    for wrong in (levels, frame.to_numpy(), None):
        with pytest.raises(BrokenFileError, match=r"t\.csv needs a data frame"):
            typed(wrong, Path("t.csv"), GENE_NAMES)  # type: ignore[arg-type]
    with pytest.raises(BrokenFileError, match="repeats the column 'seed'"):
        typed(pd.concat([frame, frame[["seed"]]], axis=1), Path("t.csv"), GENE_NAMES)
    with pytest.raises(BrokenFileError, match="lacks the column 'seed'"):
        typed(frame.drop(columns="seed"), Path("t.csv"), GENE_NAMES)
