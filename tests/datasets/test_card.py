from __future__ import annotations

import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.card import make_card
from ohmnas.datasets.plan import plan
from ohmnas.datasets.schema import Row
from ohmnas.datasets.task import task


def test_the_card_says_what_is_in_the_table_and_how_to_make_it_again(rows: list[Row]) -> None:
    card = make_card(pd.DataFrame(rows, columns=list(schema.COLUMNS)), task("digits"))
    assert card["status"] == {"ok": 5, "failed": 1}
    assert card["architectures"] == 6
    assert card["input_shape"] == [1, 8, 8]
    assert card["hardware"] == ["pcm"]
    assert card["software"]["torch_version"] == ["0"]
    assert len(card["reproduce"]) == 1  # no plan has these rows, so that no campaign would measure them


def test_rows_of_a_plan_come_with_the_campaign_that_measures_them(rows: list[Row]) -> None:
    digits = task("digits")
    for row, genome in zip(rows, plan(digits, 6), strict=True):
        row.update(zip(digits.space.gene_names, genome.tolist(), strict=True))
    card = make_card(pd.DataFrame(rows, columns=list(schema.COLUMNS)), digits)
    assert "ohmnas campaign --task digits --hardware pcm --fidelity smoke --seed 0 --n 6" in card["reproduce"][0]
    assert "export-table" in card["reproduce"][1]
