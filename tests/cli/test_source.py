"""Which table a command learns from."""

from __future__ import annotations

from argparse import Namespace

import pytest

from ohmnas.cli.source import task_table
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
