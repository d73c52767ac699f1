"""Fidelity: the training and measuring effort of a row, stored with every row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import look_up


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Effort of one measurement; rows of different fidelities are never mixed."""

    name: str
    """Name in tables and commands."""
    epochs: int
    """Passes over the training images."""
    batch: int
    """Images per training step."""
    chips: int
    """Number of simulated chips per trained network."""
    train_images: int | None = None
    """Largest number of training images; None is all."""
    validation_images: int | None = None
    """Largest number of validation images; None is all."""
    test_images: int | None = None
    """Largest number of test images, used in verification; None is all."""
    resolution: int | None = None
    """Longest side of an image in pixels; larger images are downsampled by averaging. None keeps the original size."""
    trains_on_validation: bool = False
    """True if training includes the validation images; only for verification, which uses test images."""


SMOKE: Final = Fidelity(
    "smoke", epochs=1, batch=32, chips=2, train_images=256, validation_images=400, test_images=400, resolution=16
)
"""For quick tests."""
_QUICK: Final = Fidelity(
    "quick", epochs=6, batch=32, chips=8, train_images=5_000, validation_images=1_000, test_images=1_000
)
"""For first trials: networks learn, but do not converge."""
_TABLE: Final = Fidelity("table", epochs=24, batch=32, chips=25, train_images=20_000, validation_images=5_000)
_FULL: Final = Fidelity("full", epochs=120, batch=32, chips=25, trains_on_validation=True)

FIDELITIES: Final = {
    "smoke": dict[str, Fidelity](),
    "quick": {
        "digits": replace(_QUICK, epochs=10),
    },
    "table": {
        "digits": replace(_TABLE, epochs=48),
        "cifar10": replace(_TABLE, epochs=8, batch=64, chips=16, train_images=None),
    },
    "full": {
        "cifar10": replace(_FULL, epochs=100, batch=64),
    },
}
"""Name -> task -> fidelity, for tasks whose fidelity differs from the default. `quick` is for trials. `table` is for
measured tables: networks almost converge (see `benchmarks/fidelity.py`), in seconds to minutes on one core. `full` is
for verification: it trains on all images until more training no longer helps."""
_OF_ALL_TASKS: Final = {"smoke": SMOKE, "quick": _QUICK, "table": _TABLE, "full": _FULL}
_BEFORE: Final = {"low": 3, "paper": 3}
"""Fidelity name of earlier protocols -> last protocol that used it."""


def fidelity(name: str, task: str) -> Fidelity:
    """Return the fidelity with this name for a task.

    Raises:
        InvalidValueError: only earlier protocols have this name.
        UnknownNameError: the name is unknown; the message lists the known names.
    """
    if name in _BEFORE:
        raise InvalidValueError(
            f"fidelity {name!r} belongs to protocol {_BEFORE[name]}: its tables can be read, but rows are now measured "
            f"with one of {', '.join(FIDELITIES)}"
        )
    look_up("fidelity", FIDELITIES, name)
    return FIDELITIES[name].get(task, _OF_ALL_TASKS[name])
