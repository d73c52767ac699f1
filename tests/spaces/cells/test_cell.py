"""Cells as people and files write them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.cells.cell import EDGES, OPERATIONS, REFERENCES, Cell

from .conftest import every

RESNET = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def test_all_cells_are_read_as_they_are_written() -> None:
    texts = set()
    for codes in every().tolist():
        one = Cell.from_codes(codes)
        text = str(one)
        assert Cell.from_str(text) == one
        assert [OPERATIONS.index(operation) for operation in one.operations] == codes
        texts.add(text)
    assert len(texts) == 5**6


def test_operations_are_in_the_order_of_the_published_string() -> None:
    one = Cell(("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none"))
    assert str(one) == "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert str(REFERENCES["cells-resnet"]) == RESNET


def test_edges_may_come_in_any_order_within_a_node() -> None:
    shuffled = "|nor_conv_3x3~0|+|nor_conv_3x3~1|nor_conv_3x3~0|+|nor_conv_3x3~2|skip_connect~0|nor_conv_3x3~1|"
    assert Cell.from_str(f"  {shuffled}\n") == Cell.from_str(RESNET)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not an edge"),
        ("resnet18", "is not an edge"),
        ("|nor_conv_3x3~0|", "must have the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3"),
        (RESNET + "+|none~0|", "must have the edges"),
        (RESNET.replace("~2", "~1"), "must have the edges"),
        (RESNET.replace("~2", "~7"), "must have the edges"),
        (RESNET.replace("|nor_conv_3x3~0|+", "|nor_conv_3x3~0|none~0|+", 1), "must have the edges"),
        (RESNET.replace("~2", "~x"), "is not an edge"),
        (RESNET.replace("skip_connect", "skip"), "unknown operation 'skip': choose none, skip_connect"),
        (RESNET.replace("skip_connect", "nor_conv_5x5"), "unknown operation 'nor_conv_5x5'"),
        (RESNET * 50, "this is not a NAS-Bench-201 cell"),
        (RESNET.replace("|+|", "|+"), ""),
        (None, "this is not a NAS-Bench-201 cell"),
        (17, "this is not a NAS-Bench-201 cell"),
    ],
)
def test_an_invalid_cell_is_refused_with_one_sentence(text: Any, message: str) -> None:
    if not message:  # a bar too few changes nothing
        assert str(Cell.from_str(text)) == RESNET
        return
    with pytest.raises(InvalidValueError) as caught:
        Cell.from_str(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@given(st.text(max_size=250))
def test_any_text_is_a_cell_or_a_sentence(text: str) -> None:
    with contextlib.suppress(InvalidValueError):
        assert Cell.from_str(str(Cell.from_str(text))) == Cell.from_str(text)


@pytest.mark.parametrize(
    "operations",
    [(), ("none",) * 5, ("none",) * 7, ["none"] * 6, ("none",) * 5 + (3,), ("none",) * 5 + (None,), "nonono", None],
)
def test_other_than_six_operations_are_refused(operations: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"a cell must have 6 operations|unknown operation"):
        Cell(operations)


@pytest.mark.parametrize("values", [{}, {"cell": RESNET, "more": 1}, {"cell": 5}, {"cell": [RESNET]}, [], None, RESNET])
def test_invalid_cells_in_a_file_are_refused(values: Any) -> None:
    with pytest.raises(InvalidValueError, match="this is not a NAS-Bench-201 cell"):
        Cell.from_dict(values)


def test_cells_go_through_files() -> None:
    for one in REFERENCES.values():
        assert Cell.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("codes", [(0, 1, 2, 3, 4, -1), (0, 1, 2, 3, 4, 5), (0, 1)])
def test_only_six_numbers_of_operations_are_a_cell(codes: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValueError, match="6 operation codes from 0 to 4"):
        Cell.from_codes(codes)
