from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.task import TASKS, Task, task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.spaces.reference import REFERENCES

from .loaders.conftest import real_task

__all__ = ["real_task"]


def check(one: Task) -> None:
    """Shapes, types and classes are those that the task states, and its numbers normalise its images."""
    data = one.load()
    for split in (data.train, data.validation, data.test):
        assert split.images.shape == (len(split.labels), *one.input_shape)
        assert split.images.dtype in (np.uint8, np.float16)
        assert split.labels.dtype == np.int64
        assert set(split.labels) == set(range(one.classes))
    pixels = (data.train.images.astype(np.float64) - data.mean[:, None, None]) / data.std[:, None, None]
    assert np.abs(pixels.mean(axis=(0, 2, 3))).max() < 1e-3
    assert np.abs(pixels.std(axis=(0, 2, 3)) - 1).max() < 1e-3


def test_the_digits_are_what_their_task_states() -> None:
    check(task("digits"))


@pytest.mark.slow
def test_real_files_are_what_their_task_states(real_task: Task) -> None:
    check(real_task)


@pytest.mark.parametrize("name", TASKS)
def test_references_fit_the_bounds_of_every_task(name: str) -> None:
    one = task(name)
    costs = one.space.layer_table(one.space.encode(REFERENCES.values()))
    fitting = (costs.params() <= one.max_params) & (costs.macs() <= one.max_macs)
    assert fitting.sum() >= 2


def test_a_file_called_like_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="'digits', which is another task"):
        task(str(tmp_path / "digits.npz"))


@pytest.mark.parametrize("name", ["=1+1", "-rf", "\x1b[2J", "x" * 200])
def test_a_file_called_as_no_task_can_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a task cannot be called "):
        task(str(tmp_path / f"{name}.npz"))


def test_an_unknown_task_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="no task 'mnist'; there are digits, "):
        task("mnist")


@pytest.mark.parametrize("stem", ["a\nb", " mine", "\x1b[31mred", "m" * 150])
def test_a_file_whose_name_no_table_can_have_is_refused(stem: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="a task cannot be called"):
        task(str(tmp_path / f"{stem}.npz"))
