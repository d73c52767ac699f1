from __future__ import annotations

import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.card import make_card
from ohmnas.datasets.schema import Row
from ohmnas.datasets.task import task


def test_the_card_says_what_is_in_the_table_and_how_to_make_it_again(rows: list[Row]) -> None:
    card = make_card(pd.DataFrame(rows, columns=list(schema.COLUMNS)), task("digits"))
    assert card["status"] == {"ok": 5, "failed": 1}
    assert card["architectures"] == 6
    assert card["input_shape"] == [1, 8, 8]
    assert card["hardware"] == ["pcm"]
    assert card["software"]["torch_version"] == ["0"]
    assert "ohmnas campaign --task digits --hardware pcm --fidelity smoke --seed 0 --n 6" in card["reproduce"][0]
