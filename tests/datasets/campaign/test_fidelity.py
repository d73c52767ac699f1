from __future__ import annotations

import pytest

from ohmnas.datasets.campaign.fidelity import FIDELITIES, fidelity
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.errors import InvalidValueError, UnknownNameError


@pytest.mark.parametrize("task", TASKS)
def test_efforts_grow_with_their_name(task: str) -> None:
    smoke, quick, table, full = (fidelity(name, task) for name in FIDELITIES)
    assert (smoke.name, quick.name, table.name, full.name) == tuple(FIDELITIES)
    assert smoke.epochs < quick.epochs <= table.epochs < full.epochs
    assert 2 <= smoke.chips < quick.chips < table.chips <= full.chips == 25
    assert [one.trains_on_validation for one in (smoke, quick, table, full)] == [False, False, False, True]


def test_own_efforts_are_of_tasks_that_exist() -> None:
    assert {task for own in FIDELITIES.values() for task in own} <= set(TASKS)


def test_an_unknown_fidelity_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="smoke, quick, table, full"):
        fidelity("high", "digits")


def test_a_fidelity_of_an_earlier_protocol_is_refused_as_such() -> None:
    with pytest.raises(InvalidValueError, match="'paper' belongs to protocol 3"):
        fidelity("paper", "digits")
