from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.choices import CHOICES, stored_choices
from ohmnas.errors import BrokenFileError
from ohmnas.spaces.resnet import ResNetSpace

GENOME = ResNetSpace((1, 8, 8), 10).sample_uniform(1, np.random.default_rng(0))[0].tolist()
GOOD = ("digits", "pcm", "smoke", 0, 0, json.dumps(GENOME))


def test_a_store_without_choices_has_none() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        assert stored_choices(connection, Path("s.sqlite"), ResNetSpace) == {}


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, None, "task is empty"),
        (1, "\x1bx", "hardware is "),
        (3, "x", "seed is 'x'"),
        (4, 5, "comes after 0 others: some are missing"),
        (4, None, "some are missing"),
        (5, None, "is not a genome"),
        (5, "[1, 2]", "28 genes"),
        (5, "[99999", "is not a genome"),
        (5, "{}", "not a genome"),
        (5, json.dumps([10**30] * 28), "not a genome"),
        (5, json.dumps([1.5] * 28), "not a genome"),
        (5, json.dumps([0] * 28), "out of range"),
        (5, "[" * 100_000, "is not a genome"),
    ],
)
def test_a_damaged_choice_is_named(place: int, value: object, message: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(CHOICES)
        connection.execute("INSERT INTO choices VALUES (?, ?, ?, ?, ?, ?)", GOOD)
        ((key, population),) = stored_choices(connection, Path("s.sqlite"), ResNetSpace).items()
        assert (key, population.tolist()) == (GOOD[:4], [GENOME])
        connection.execute("DELETE FROM choices")
        connection.execute("INSERT INTO choices VALUES (?, ?, ?, ?, ?, ?)", (*GOOD[:place], value, *GOOD[place + 1 :]))
        with pytest.raises(BrokenFileError, match=rf"s\.sqlite is damaged: choice .*{message}"):
            stored_choices(connection, Path("s.sqlite"), ResNetSpace)
