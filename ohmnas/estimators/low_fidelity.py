"""Cheaper training runs as estimators: fewer epochs, fewer images, smaller images, or a narrower network.

Each estimator changes one setting of a table's training runs. `docs/estimators.md` compares how they rank networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.errors import InvalidValueError
from ohmnas.estimators.training import Change, Trained
from ohmnas.hardware import Hardware
from ohmnas.lookup import look_up
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task

SHARES: Final[Mapping[str, float]] = {
    "fewer_epochs": 0.25,
    "fewer_images": 0.25,
    "lower_resolution": 0.5,
    "narrower_network": 0.5,
}
"""Reduction -> share that remains: of the epochs, the training images, the side of an image, or the channels."""
WIDTH: Final = "OC0"
"""Gene for the channels of the stem; all widths of a network are multiples of it."""


def low_fidelity(
    name: str,
    task: Task,
    seed: int = 0,
    share: float | None = None,
    base: Fidelity | None = None,
    chip: Hardware | None = None,
) -> Trained:
    """Return an estimator that trains networks of a task at reduced cost.

    Args:
        name: one of `SHARES`.
        task: the task.
        seed: seed of training runs and chips.
        share: remaining share, above 0 and at most 1; None is the value in `SHARES`.
        base: fidelity to reduce; None is the fidelity of the task's table.
        chip: the chip; None is the ``pcm`` preset.

    Raises:
        UnknownNameError: the reduction is unknown.
        InvalidValueError: the share is out of range, or the networks have no gene for their width.
        MissingDependencyError: torch, aihwkit or Numba is not installed.
    """
    default = look_up("reduction", SHARES, name)
    share = default if share is None else share
    if not 0.0 < share <= 1.0:
        raise InvalidValueError(f"the remaining share must be above 0 and at most 1, not {share:g}")
    effort, change = base or fidelity("table", task.name), None
    if name == "narrower_network":
        change = _narrower(task.space, share)
    else:
        effort = _REDUCED[name](effort, task, share)
    return Trained(Protocol(task, replace(effort, name=name)), seed, chip, change)


def narrowed(space: Space, population: Population, share: float) -> Population:
    """``(n, g)``: the networks with a share of their channels, but at least the smallest number in the space.

    Raises:
        InvalidValueError: the space has no gene for the width.
    """
    if WIDTH not in space.gene_names:
        raise InvalidValueError(f"networks of the {space.name} space have no gene {WIDTH} for their width")
    column = space.gene_names.index(WIDTH)
    found = population.copy()
    found[:, column] = np.maximum(np.rint(share * population[:, column]), space.genes[column].values[0])
    return found


def _narrower(space: Space, share: float) -> Change:
    narrowed(space, np.empty((0, len(space.gene_names)), dtype=np.int16), share)  # rejects an unsuitable space early
    return partial(narrowed, space, share=share)


def _fewer_epochs(effort: Fidelity, task: Task, share: float) -> Fidelity:
    del task
    return replace(effort, epochs=max(round(share * effort.epochs), 1))


def _fewer_images(effort: Fidelity, task: Task, share: float) -> Fidelity:
    available = len(task.load().train.labels)
    images = available if effort.train_images is None else min(effort.train_images, available)
    return replace(effort, train_images=max(round(share * images), effort.batch))


def _lower_resolution(effort: Fidelity, task: Task, share: float) -> Fidelity:
    side = effort.resolution or max(task.input_shape[1:])
    return replace(effort, resolution=max(round(share * side), 1))


_REDUCED: Final[Mapping[str, Callable[[Fidelity, Task, float], Fidelity]]] = {
    "fewer_epochs": _fewer_epochs,
    "fewer_images": _fewer_images,
    "lower_resolution": _lower_resolution,
}


fewer_epochs = partial(low_fidelity, "fewer_epochs")
"""Registered in `ESTIMATORS`, like the next three."""
fewer_images = partial(low_fidelity, "fewer_images")
lower_resolution = partial(low_fidelity, "lower_resolution")
narrower_network = partial(low_fidelity, "narrower_network")
