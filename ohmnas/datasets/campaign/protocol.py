"""Protocol: everything that determines a measurement, except genome, chip and seed. Does not import torch."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.data import TaskData
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.hardware import Hardware
from ohmnas.hardware.settings import AFTER_TRAINING

if TYPE_CHECKING:
    from ohmnas.analog.recipe import Recipe

VERIFICATION_SEEDS = 1_000_000
"""First seed of verification training runs. Campaigns use smaller seeds, so no table contains them."""


def verification_seed(seed: int) -> int:
    """Return the seed of a verification training run; `VERIFICATION_SEEDS` is added to the user's seed.

    Raises:
        InvalidValueError: the seed is negative, so a campaign may use the resulting seed.
    """
    if seed < 0:
        raise InvalidValueError(f"the seed of a training run must be at least 0, not {seed}")
    return VERIFICATION_SEEDS + seed


def require_training(device: str = "cpu", load: bool = True) -> None:
    """Check that the packages for measuring are installed and the device exists.

    Args:
        device: torch device.
        load: True imports the packages, as a process that runs measurements must; False only checks that they exist.

    Raises:
        MissingDependencyError: torch, aihwkit or Numba is not installed.
        InvalidValueError: the device is ``cuda`` and torch finds no CUDA device.
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
        raise InvalidValueError("the device is cuda, but torch finds no CUDA device")


def seeds_of(task: Task, genome: Sequence[int], seed: int) -> tuple[int, int]:
    """Return the seeds for training and for the chips, which depend only on the task, the genome and the row's seed.

    They do not depend on the hardware, so chips with the same training settings can share a trained network.
    """
    entropy = [seed, zlib.crc32(task.name.encode()), *(int(gene) for gene in genome)]
    train, chips = np.random.SeedSequence(entropy).generate_state(2)
    return int(train), int(chips)


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything that determines a measurement, except genome, chip and seed."""

    task: Task
    fidelity: Fidelity
    engine: str = "native"
    """One of `options.ENGINE_NAMES`."""
    device: str = "cpu"
    """Torch device for training and reading."""

    recipe: Recipe | None = None
    """Training recipe, except for the settings of the fidelity, the chip and the augmentation. None uses the default
    recipe, as for tables."""

    def training_recipe(self, chip: Hardware) -> Recipe:
        """Return the recipe with the settings of the task, the fidelity and the chip."""
        from ohmnas.analog.recipe import Recipe

        task, effort = self.task, self.fidelity
        batch = min(effort.batch, len(self.data().train.labels))
        own = self.recipe or Recipe(label_smoothing=task.label_smoothing)
        own = replace(own, epochs=effort.epochs, batch=batch, shift=task.shift, flip=task.flip)
        return replace(own, precision=self.precision(chip))

    def data(self) -> TaskData:
        """Return the task's images, limited to the fidelity's resolution and numbers of images."""
        return _data(self.task, self.fidelity)

    def precision(self, chip: Hardware) -> str:
        """Return the number format of convolutions.

        With the native engine, it is the fastest for this task and chip; otherwise, it is float32.
        """
        from ohmnas.analog.precision import fastest

        if self.engine != "native":
            return "float32"
        return fastest(self.device, math.prod(self.data().train.images.shape[2:]), chip)

    def key(self, chip: Hardware) -> str:
        """Return a string that identifies how networks are trained and measured on a chip: images, settings, recipe."""
        task, data = self.task, self.data()
        images = 0
        for split in (data.train, data.test):
            for values in (split.images, split.labels):
                images = zlib.crc32(np.ascontiguousarray(values).data, images)
        how = (chip, self.fidelity, self.engine, self.device, self.training_recipe(chip))
        return repr((task.name, task.space_name, images, *how))

    def settings(self, chip: Hardware) -> Row:
        """Return `schema.SETTING_COLUMNS` for rows of a chip at this fidelity."""
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
    """Return the chip with defaults for all settings that do not affect training.

    Chips for which this function returns equal settings share one trained network.
    """
    same: dict[str, Any] = {name: getattr(Hardware(), name) for name in AFTER_TRAINING}
    return replace(chip, **same)
