from __future__ import annotations

from dataclasses import replace

import pytest

from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.errors import InvalidValueError


@pytest.mark.parametrize("name", TASKS.own)
def test_a_task_is_called_like_its_entry(name: str) -> None:
    assert TASKS[name].name == name


def test_only_tasks_of_their_own_name_are_registered() -> None:
    with pytest.raises(InvalidValueError, match=r"it is of type int, not an ohmnas\.Task"):
        TASKS.register("mine", 3)
    with pytest.raises(InvalidValueError, match="the name of the task is 'digits'"):
        TASKS.register("mine", TASKS["digits"])
    with TASKS.registered("mine", replace(TASKS["digits"], name="mine")):
        assert TASKS["mine"].classes == 10
