from __future__ import annotations

import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.faults import faults
from ohmnas.datasets.tables.schema import Row
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.datasets.conftest import DIGITS


def test_made_rows_have_no_faults(rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES))).astype(
        dict.fromkeys(schema.FLOAT_COLUMNS, float)
    )
    assert not any(wrong.any() for wrong, _, _ in faults(frame, DIGITS.space))


@pytest.mark.parametrize("name", ["", " pcm", "\x1b[2Jpcm", "=cmd()", "-rf", "../pcm", "x" * 500, "a\u202eb"])
@pytest.mark.parametrize("column", ["hardware", "fidelity"])
def test_a_name_that_can_be_taken_for_something_else_is_a_fault(column: str, name: str, rows: list[Row]) -> None:
    rows[3][column] = name
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES))).astype(
        dict.fromkeys(schema.FLOAT_COLUMNS, float)
    )
    found = [(wrong.tolist(), where, why) for wrong, where, why in faults(frame, DIGITS.space) if wrong.any()]
    ((wrong, where, why),) = found
    assert (wrong.index(True), sum(wrong), where) == (3, 1, column)
    assert why.startswith("not a valid name: ")
