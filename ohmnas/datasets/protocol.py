"""What decides a measurement, but the genome: task, fidelity, engine, device, chip, seeds. Loads no torch."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ohmnas.datasets import schema
from ohmnas.datasets.data import TaskData
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.schema import Row
from ohmnas.datasets.task import Task
from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.spaces.hardware import Hardware

if TYPE_CHECKING:
    from ohmnas.analog.recipe import Recipe

ENGINE_NAMES = ("native", "aihwkit")
"""What simulates the chip: our own layers, or aihwkit's as the reference."""

DEVICES = ("cpu", "cuda")
"""What networks are trained and read on, as torch names it."""

VERIFICATION_SEEDS = 1_000_000
"""Verification trains with seeds from here on; campaigns with those below, so that no table holds what verifies it."""


def require_training(device: str = "cpu", load: bool = True) -> None:
    """Check that what measuring needs is installed, and that the device is there.

    Args:
        device: what is computed on.
        load: whether this process will measure itself; one that leaves it to others need not wait for torch.

    Raises:
        MissingDependencyError: torch, aihwkit or Numba is not.
        InvalidValueError: torch sees no CUDA device, and one is asked for.
    """
    for name in ("torch", "aihwkit", "numba"):
        try:
            if load:
                import_module(name)
            elif find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}")
        except ImportError as error:
            raise MissingDependencyError.of(f"training and measuring need {name}", "train", error) from error
    if device == "cuda" and not import_module("torch").cuda.is_available():
        raise InvalidValueError("--device is cuda, but torch sees no CUDA device here")


def seeds_of(task: Task, genome: Sequence[int], seed: int) -> tuple[int, int]:
    """The seeds of training and of the chips: they follow from the task, the genome and the row's seed alone.

    The hardware has no part in it, so that chips which share the training noise share the trained network.
    """
    entropy = [seed, zlib.crc32(task.name.encode()), *(int(gene) for gene in genome)]
    train, chips = np.random.SeedSequence(entropy).generate_state(2)
    return int(train), int(chips)


@dataclass(frozen=True, slots=True)
class Protocol:
    """All that decides what a measurement is, but the genome and the seed."""

    task: Task
    fidelity: Fidelity
    engine: str = "native"
    """One of `ENGINE_NAMES`."""
    device: str = "cpu"
    """Where networks are trained and read, as torch names it."""

    recipe: Recipe | None = None
    """How networks are trained, but for what fidelity, chip and the task's augmentation say; None is as for tables."""

    def training_recipe(self, chip: Hardware) -> Recipe:
        """The recipe with what task, fidelity and chip say."""
        from ohmnas.analog.recipe import Recipe

        task, effort = self.task, self.fidelity
        batch = min(effort.batch, len(self.data().train.labels))
        own = self.recipe or Recipe(label_smoothing=task.label_smoothing)
        own = replace(own, epochs=effort.epochs, batch=batch, shift=task.shift, flip=task.flip)
        return replace(own, precision=self.precision(chip))

    def data(self) -> TaskData:
        """The task's images at the fidelity's resolution, each part cut to its number."""
        return _data(self.task, self.fidelity)

    def precision(self, chip: Hardware) -> str:
        """The number format of the convolutions: in our own layers the fastest for these images and this chip."""
        from ohmnas.analog.precision import fastest

        if self.engine != "native":
            return "float32"
        return fastest(self.device, math.prod(self.data().train.images.shape[2:]), chip)

    def settings(self, chip: Hardware) -> Row:
        """The `schema.SETTING_COLUMNS` of every row of a chip at this fidelity."""
        data, effort = self.data(), self.fidelity
        return {
            "technology": chip.technology,
            **chip.settings(),
            "protocol": schema.PROTOCOL_VERSION,
            "epochs": effort.epochs,
            "batch": effort.batch,
            "train_images": len(data.train.labels),
            "validation_images": len(data.validation.labels),
            "resolution": max(data.train.images.shape[2:]),
            "chips": effort.chips,
        }


@lru_cache(maxsize=1)
def _data(task: Task, effort: Fidelity) -> TaskData:
    data = task.load()
    train = data.train.joined(data.validation) if effort.trains_on_validation else data.train
    train = train.first(effort.train_images).shrunk(effort.resolution)
    validation = data.validation.first(effort.validation_images).shrunk(effort.resolution)
    test = data.test.first(effort.test_images).shrunk(effort.resolution)
    return replace(data, train=train, validation=validation, test=test)


def training_settings(chip: Hardware) -> Hardware:
    """What a training knows of a chip: chips that are equal in it are programmed from the same trained network."""
    same = Hardware()
    return replace(
        chip,
        name="",
        technology=same.technology,
        g_max=same.g_max,
        programming_noise=1.0,
        read_noise=1.0,
        drift=1.0,
        drift_compensation=True,
        batch_norm=same.batch_norm,
    )
