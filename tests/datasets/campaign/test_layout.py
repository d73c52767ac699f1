from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.datasets.campaign.layout import Layout, checksum, quoted, stored_schema, transaction
from ohmnas.datasets.tables import schema
from ohmnas.errors import BrokenFileError
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.resnet import ResNetSpace

cells = st.one_of(st.none(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, width=32), st.text(max_size=5))


def test_columns_are_those_of_the_space() -> None:
    layout = Layout(CellSpace)
    assert layout.columns == schema.columns(CellSpace.architecture_genes.names)
    assert layout.identity == (*schema.KEY_COLUMNS, "E01", "E02", "E12", "E03", "E13", "E23")
    assert set(layout.identity) <= set(layout.columns)
    assert layout.take_over.startswith(layout.insert)


def test_an_empty_file_has_no_schema_and_the_usual_layout(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.sqlite")) as connection:
        assert stored_schema(connection, tmp_path / "s.sqlite") == (0, Layout(ResNetSpace))


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE rows (a TEXT)")
        with pytest.raises(BrokenFileError, match="from another program"):
            stored_schema(connection, tmp_path / "s.sqlite")


@given(st.lists(cells, min_size=1, max_size=6), st.data())
def test_a_checksum_detects_a_changed_cell(values: list[object], data: st.DataObject) -> None:
    names = ("accuracy_1d", "seed", "task", "reason", "avm", "R1")[: len(values)]
    before = checksum(values, names)
    assert checksum(tuple(values), names) == before
    place = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(cells.filter(lambda cell: cell != values[place]))
    assert checksum([*values[:place], other, *values[place + 1 :]], names) != before


def test_whole_numbers_in_a_column_of_reals_are_as_the_file_gives_them_back() -> None:
    assert checksum([1, 2], ("avm", "seed")) == checksum([1.0, 2], ("avm", "seed"))


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE t ({quoted(['a', 'b'])})")
        with suppress(ZeroDivisionError), transaction(connection, "BEGIN"):
            connection.execute("INSERT INTO t VALUES (?, ?)", (1, 1 // 0))
        with suppress(ZeroDivisionError), transaction(connection, "BEGIN"):
            connection.execute("INSERT INTO t VALUES (1, 2)")
            connection.execute("INSERT INTO t VALUES (?, ?)", (1, 1 // 0))
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
