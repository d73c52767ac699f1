"""Tasks by name: what is known of their images without loading them, and how to load them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ohmnas.datasets.data import TaskData
from ohmnas.datasets.loaders.arrays import load_npz
from ohmnas.datasets.loaders.cifar import load_cifar10, load_people
from ohmnas.datasets.loaders.digits import load_digits
from ohmnas.datasets.loaders.speech_commands import load_speech_commands
from ohmnas.datasets.loaders.spoken_digits import load_new_speakers, load_spoken_digits
from ohmnas.datasets.loaders.wake_words import load_wake_words
from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_plain_name, look_up
from ohmnas.spaces.resnet import ResNetSpace

MACS_PER_PIXEL = 31_250
"""Of an image at most, on average over its pixels, where nothing else is said: what the digits have."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is known of a task without loading it."""

    name: str
    """What tables and commands call it."""
    input_shape: tuple[int, int, int]
    """Channels, height, width."""
    classes: int
    """Number of classes."""
    min_params: int
    """Smallest networks that a campaign measures: below, nothing learns the task."""
    max_params: int
    """Largest networks that a campaign measures."""
    max_macs: int
    """Most MACs of a network that a campaign measures."""
    loader: Callable[[Path | None], TaskData]
    """Loads the images from below a folder; the same images again cost nothing."""
    shift: tuple[int, int] = (0, 0)
    """Augmentation: training images move by up to so many pixels down and right, or up and left."""
    flip: bool = False
    """Augmentation: half of the training images are mirrored."""
    label_smoothing: float = 0.0
    """Share of a training label that is spread evenly over all classes."""
    data_dir: Path | None = None
    """Below which folder the files are; None is ``$OHMNAS_DATA``."""

    @property
    def space(self) -> ResNetSpace:
        """The search space for this task's images."""
        return ResNetSpace(self.input_shape, self.classes)

    def load(self) -> TaskData:
        """The images.

        Raises:
            UnknownNameError: the files are not there.
            BrokenFileError: a file is not what it should be.
        """
        return self.loader(self.data_dir)


TASKS = {
    one.name: one
    for one in (
        Task("digits", (1, 8, 8), 10, 1_000, 200_000, 2_000_000, load_digits),
        Task("spoken-digits", (1, 16, 32), 10, 1_000, 200_000, 8_000_000, load_spoken_digits, (1, 3)),
        Task("spoken-digits-new-speakers", (1, 16, 32), 10, 1_000, 200_000, 8_000_000, load_new_speakers, (1, 3)),
        Task("people", (3, 32, 32), 2, 2_000, 1_000_000, 41_000_000, load_people, (2, 2), flip=True),
        Task("cifar10", (3, 32, 32), 10, 2_000, 1_000_000, 41_000_000, load_cifar10, (2, 2), True, 0.1),
        Task("speech-commands", (1, 40, 49), 12, 2_000, 500_000, 41_000_000, load_speech_commands, (2, 5)),
        Task("visual-wake-words", (3, 96, 96), 2, 2_000, 1_000_000, 100_000_000, load_wake_words, (6, 6), flip=True),
    )
}
"""Name -> task. 41 million MACs are those of a ResNet-20 on 32 x 32 pixels."""


def task(name: str, data_dir: Path | None = None) -> Task:
    """The task of that name, or of the images in an ``.npz`` file (`loaders.arrays`), named like the file.

    Args:
        name: one of `TASKS`, or the path of a file.
        data_dir: below which folder the files of the task are; None is ``$OHMNAS_DATA``.

    Raises:
        UnknownNameError: there is none; the message lists all.
        BrokenFileError: the file does not hold a task.
        InvalidValueError: it is called like one of `TASKS`, or as no task can be.
    """
    if name.endswith(".npz"):
        if (stem := Path(name).stem) in TASKS:
            raise InvalidValueError(
                f"{name} would be called {stem!r}, which is another task: give the file another name"
            )
        return _of_arrays(Path(name))
    return replace(look_up("task", TASKS, name), data_dir=data_dir)


def task_word(name: str) -> str:
    """What a command wants to hear of a task: its name, or that of the file it is from."""
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
    del data_dir  # the path is whole
    return load_npz(path)
