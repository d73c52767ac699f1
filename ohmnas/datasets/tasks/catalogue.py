"""Registry of tasks. A task's module is imported when the task is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task

_LOADERS: Final = "ohmnas.datasets.tasks.loaders"


def _fault(name: str, thing: object) -> str:
    from ohmnas.datasets.tasks.task import Task

    if not isinstance(thing, Task):
        return f"it is of type {type(thing).__name__}, not an ohmnas.Task"
    return "" if thing.name == name else f"the name of the task is {thing.name!r}"


TASKS: Final[Registry[Task]] = Registry(
    "task",
    "ohmnas.tasks",
    {
        "digits": f"{_LOADERS}.digits:DIGITS",
        "spoken-digits": f"{_LOADERS}.spoken_digits:SPOKEN_DIGITS",
        "spoken-digits-new-speakers": f"{_LOADERS}.spoken_digits:NEW_SPEAKERS",
        "people": f"{_LOADERS}.cifar:IS_PERSON",
        "cifar10": f"{_LOADERS}.cifar:CIFAR10",
        "speech-commands": f"{_LOADERS}.speech_commands:SPEECH_COMMANDS",
        "visual-wake-words": f"{_LOADERS}.wake_words:WAKE_WORDS",
    },
    _fault,
)
"""Name -> `Task`; installed packages add tasks with entry points in the group ``ohmnas.tasks``."""
