from __future__ import annotations

import re

import pytest

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError
from ohmnas.report.tables import table_page

LARGEST = 2_000_000


@pytest.mark.parametrize(("name", "hardware"), [("digits", "hermes"), ("digits", "varied-pcm"), ("people", None)])
def test_a_table_is_a_page(name: str, hardware: str | None) -> None:
    page = table_page(read_table(name), hardware)
    assert len(page.encode()) < LARGEST
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Networks", "Drift", "Groups of networks", "Rank correlations", "Chips in this table", "Provenance",
    ]  # fmt: skip
    assert "ohmnas campaign" in page


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no measured rows"):
        table_page(read_table("people"), "nothing")


def test_a_card_is_text() -> None:
    table = read_table("people")
    table.card["protocol"] = table.card["date"] = "<script>"
    table.card["reproduce"] = ["<script>"]
    table.card["software"] = "<script>"
    assert table_page(table).count("<script") == 2


def test_networks_are_counted_once_however_often_they_were_trained() -> None:
    page = table_page(read_table("digits"))
    assert "1,113 measured networks" in page
    assert "1,161 training runs" in page
