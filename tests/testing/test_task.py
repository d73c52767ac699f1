"""The contract of a task, for the digits, which come with scikit-learn; others need their files."""

from __future__ import annotations

from ohmnas.datasets.tasks.task import Task, task
from ohmnas.testing import TaskContract


class TestDigits(TaskContract):
    def make(self) -> Task:
        return task("digits")
