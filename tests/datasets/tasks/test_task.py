from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.spaces.resnet.references import REFERENCES
from ohmnas.testing import TaskContract

from .loaders.conftest import real_task

__all__ = ["real_task"]


class Real(TaskContract):
    """A task whose files are there."""

    def __init__(self, one: Task) -> None:
        self.one = one

    def make(self) -> Task:
        return self.one


@pytest.mark.slow
def test_real_files_are_what_their_task_states(real_task: Task) -> None:
    real = Real(real_task)
    real.test_its_images_are_what_it_states()
    real.test_its_numbers_normalise_its_images()


@pytest.mark.parametrize("name", TASKS)
def test_references_fit_the_bounds_of_every_task(name: str) -> None:
    one = task(name)
    costs = one.space.layers(one.space.encode(REFERENCES.values()))
    fitting = (costs.params() <= one.max_params) & (costs.macs() <= one.max_macs)
    assert fitting.sum() >= 2


def test_a_file_called_like_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="has the name of the task 'digits'"):
        task(str(tmp_path / "digits.npz"))


@pytest.mark.parametrize("name", ["=1+1", "-rf", "\x1b[2J", "x" * 200])
def test_a_file_called_as_no_task_can_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a task cannot be called "):
        task(str(tmp_path / f"{name}.npz"))


def test_an_unknown_task_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="unknown task 'mnist': choose digits, "):
        task("mnist")


@pytest.mark.parametrize("stem", ["a\nb", " mine", "\x1b[31mred", "m" * 150])
def test_a_file_whose_name_no_table_can_have_is_refused(stem: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a task cannot be called"):
        task(str(tmp_path / f"{stem}.npz"))


def test_limits_narrow_a_task_and_never_widen_it() -> None:
    whole = task("digits")
    small = whole.within(20_000, 500_000)
    costs = small.space.layers(plan(small, 40))
    assert costs.params().max() <= 20_000
    assert costs.macs().max() <= 500_000
    assert whole.within(10**9, 10**12) == whole == whole.within()
    with pytest.raises(InvalidValueError, match="max_params is 1,000, but must be above 1,000, the parameters of"):
        whole.within(1_000)
