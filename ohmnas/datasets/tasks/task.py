"""`Task`: the properties of a task and the loader of its images. `task` looks up a task by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.data import TaskData
from ohmnas.datasets.tasks.loaders.arrays import load_npz
from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_plain_name
from ohmnas.spaces import catalogue
from ohmnas.spaces.space import Space

MACS_PER_PIXEL = 31_250
"""MACs per pixel that set the default limit for a task from a file; `digits` has the same limit."""


@dataclass(frozen=True, slots=True)
class Task:
    """Properties of a task, without its images."""

    name: str
    """Name in tables and commands."""
    input_shape: tuple[int, int, int]
    """Channels, height, width."""
    classes: int
    """Number of classes."""
    min_params: int
    """Smallest number of parameters of a network in a campaign; smaller networks cannot learn the task."""
    max_params: int
    """Largest number of parameters of a network in a campaign."""
    max_macs: int
    """Largest number of MACs of a network in a campaign."""
    loader: Callable[[Path | None], TaskData]
    """Loads the images from a data folder; results are cached."""
    shift: tuple[int, int] = (0, 0)
    """Augmentation: largest vertical and horizontal shift of a training image, in pixels."""
    flip: bool = False
    """Augmentation: mirror half of the training images."""
    label_smoothing: float = 0.0
    """Share of each training label that is spread evenly over all classes."""
    data_dir: Path | None = None
    """Data folder; None is ``$OHMNAS_DATA``, or ``data`` in the working directory."""

    space_name: str = "resnet"
    """Registered name of the search space."""

    @property
    def space(self) -> Space:
        """Search space for this task's images."""
        return catalogue.space(self.space_name, self.input_shape, self.classes)

    def in_space(self, name: str) -> Task:
        """Return the same task with a different search space.

        Raises:
            UnknownNameError: the space is unknown.
        """
        catalogue.SPACES.check(name)
        return replace(self, space_name=name)

    def within(self, max_params: int | None = None, max_macs: int | None = None) -> Task:
        """Return the task with lower limits for campaigns. None keeps a limit, and no limit is raised.

        Raises:
            InvalidValueError: the limit on parameters is not above `min_params`.
        """
        bounded = replace(
            self,
            max_params=self.max_params if max_params is None else min(self.max_params, max_params),
            max_macs=self.max_macs if max_macs is None else min(self.max_macs, max_macs),
        )
        if max_params is not None and bounded.max_params <= self.min_params:
            raise InvalidValueError(
                f"max_params is {max_params:,}, but must be above {self.min_params:,}, the parameters of the smallest "
                f"networks of {self.name}"
            )
        return bounded

    def load(self) -> TaskData:
        """Load the images.

        Raises:
            UnknownNameError: the files are missing.
            BrokenFileError: a file is invalid.
            MissingDependencyError: a package that reads the images is not installed.
        """
        return self.loader(self.data_dir)


def task(name: str | Path, data_dir: str | Path | None = None) -> Task:
    """Return a task by name, or a task for the images of an ``.npz`` file (`loaders.arrays`), named after the file.

    Args:
        name: one of `tasks.TASKS`, or the path of a file.
        data_dir: folder that contains the files of the task; None is the default of `Task.data_dir`.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
        PluginError: the package that adds the task cannot be used.
        BrokenFileError: the file does not hold a task.
        InvalidValueError: the file has the name of one of `tasks.TASKS`, or an invalid name.
    """
    name = str(name)
    if name.endswith(".npz"):
        if (stem := Path(name).stem) in TASKS:
            raise InvalidValueError(f"{name} has the name of the task {stem!r}: give the file another name")
        return _of_arrays(Path(name))
    return replace(TASKS[name], data_dir=None if data_dir is None else Path(data_dir))


def task_word(name: str) -> str:
    """Return the task's name for a command: its registered name or its file."""
    return name if name in TASKS else f"{name}.npz"


def _of_arrays(path: Path) -> Task:
    check_plain_name("task", path.stem)
    data = load_npz(path)
    channels, height, width = data.train.images.shape[1:]
    classes = int(data.train.labels.max()) + 1
    macs = max(2_000_000, min(MACS_PER_PIXEL * height * width, 41_000_000))
    return Task(
        path.stem, (channels, height, width), classes, 1_000, 1_000_000, macs, partial(_load_arrays, path.resolve())
    )


def _load_arrays(path: Path, data_dir: Path | None) -> TaskData:
    del data_dir  # the path is absolute
    return load_npz(path)
