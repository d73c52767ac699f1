"""Pre-fitted estimators: the surrogates of the shipped tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.shipped import task_surrogate

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task
    from ohmnas.surrogate.model import SurrogateModel


def surrogate(task: Task, seed: int = 0) -> SurrogateModel:
    """Return the shipped surrogate of a task.

    Args:
        task: the task.
        seed: ignored, because the surrogate is already fitted.

    Raises:
        InvalidValueError: no surrogate is shipped for the task, or the shipped one is for a different space.
    """
    del seed
    model = task_surrogate(task.name)
    if model is None:
        raise InvalidValueError(f"no surrogate is shipped for the task {task.name}; fit one to a table of this task")
    if model.space != task.space:
        raise InvalidValueError(f"the shipped surrogate of {task.name} is for {model.space}, not for {task.space}")
    return model
