"""Which table a command learns from."""

from __future__ import annotations

from argparse import Namespace

import pytest

from ohmnas.cli.source import learning_set, source_model, task_table
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import UnknownNameError

ASKED = {"task": "digits", "hardware": None, "fidelity": None, "chip": None, "co_design": False}


@pytest.mark.parametrize(
    ("changes", "table"),
    [
        ({}, "digits"),
        ({"fidelity": "table"}, "digits-protocol4"),
        ({"hardware": "reram"}, "digits"),
        ({"task": "cifar10"}, "cifar10-protocol4"),
        ({"task": "cifar10", "fidelity": "low"}, "cifar10"),
        ({"co_design": True}, "digits"),
        ({"task": "people"}, "people"),
    ],
    ids=str,
)
def test_a_task_uses_its_table_with_a_surrogate_or_enough_networks(changes: dict[str, object], table: str) -> None:
    assert task_table(Namespace(**{**ASKED, **changes})).source == table


def test_tasks_without_a_table_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no table is shipped for the task 'digit'; .* did you mean"):
        task_table(Namespace(**{**ASKED, "task": "digit"}))


def test_a_newer_table_starts_from_the_one_before() -> None:
    asked = Namespace(**{**ASKED, "task": "cifar10"})
    table = task_table(asked)
    model = source_model("cifar10", table, learning_set(table, asked))
    assert model is not None
    assert model.sources == ("cifar10 on pcm",)
    for name, word in (("people", "people"), ("digits-mobile", "digits")):
        other = read_table(name)
        assert source_model(word, other, learning_set(other, asked)) is None
