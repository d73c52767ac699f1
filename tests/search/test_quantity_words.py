from __future__ import annotations

from ohmnas.search.quantity_names import QUANTITIES
from ohmnas.search.quantity_words import WORDS, in_words


def test_every_quantity_has_words() -> None:
    assert set(WORDS) == set(QUANTITIES)
    assert len({words.title for words in WORDS.values()}) == len(WORDS)


def test_numbers_have_the_units_of_the_tables() -> None:
    assert WORDS["accuracy_1d"].text(0.98765) == "98.77\N{NO-BREAK SPACE}%"
    assert WORDS["avm"].text(0.005) == "+0.50\N{NO-BREAK SPACE}pt"
    assert WORDS["params"].text(47980) == "47,980"
    assert WORDS["energy"].text(1.0476e-6) == "1.048\N{NO-BREAK SPACE}µJ"
    assert WORDS["size"].label == "size (kB)"
    assert WORDS["energy"].shown(1e-6) == 1.0


def test_objectives_are_in_words() -> None:
    assert in_words("accuracy_1d / accuracy_1d_std") == "1-day accuracy / std over chips"
    assert in_words("device_latency") == WORDS["device_latency"].title
