"""How thoroughly a row is measured, as an explicit choice that every row records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import look_up


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Effort of one measurement; rows of different fidelity are different rows."""

    name: str
    """Its name in tables and commands."""
    epochs: int
    """Passes over the training images."""
    batch: int
    """Images a training step."""
    chips: int
    """Programming events of the trained network."""
    train_images: int | None = None
    """At most so many of the training images; None is all."""
    validation_images: int | None = None
    """At most so many of the validation images; None is all."""
    test_images: int | None = None
    """At most so many of the test images, which a verification reads; None is all."""
    resolution: int | None = None
    """Images with a longer side are averaged down to at most so many pixels; None leaves them as they are."""
    trains_on_validation: bool = False
    """Whether the validation images are trained on too; only a verification, which reads test images, can do so."""


SMOKE: Final = Fidelity(
    "smoke", epochs=1, batch=32, chips=2, train_images=256, validation_images=400, test_images=400, resolution=16
)
"""Shows that everything runs."""
_TABLE: Final = Fidelity("table", epochs=24, batch=32, chips=25, train_images=20_000, validation_images=5_000)
_FULL: Final = Fidelity("full", epochs=120, batch=32, chips=25, trains_on_validation=True)

FIDELITIES: Final = {
    "smoke": dict[str, Fidelity](),
    "table": {
        "digits": replace(_TABLE, epochs=48),
        "cifar10": replace(_TABLE, epochs=8, batch=64, chips=16, train_images=None),
    },
    "full": {
        "cifar10": replace(_FULL, epochs=100, batch=64),
    },
}
"""Name -> task -> fidelity, where it differs from that of all other tasks. `table` is the fidelity of measured tables,
close to convergence at a cost of seconds to minutes of one core (`benchmarks/fidelity.py` says how close); `full`
trains on all images for as long as it helps, for verification."""
_OF_ALL_TASKS: Final = {"smoke": SMOKE, "table": _TABLE, "full": _FULL}
_BEFORE: Final = {"low": 3, "paper": 3}
"""Names of fidelities that tables of earlier protocols have, and the last protocol that had them."""


def fidelity(name: str, task: str) -> Fidelity:
    """The fidelity of that name for a task.

    Raises:
        InvalidValueError: only an earlier protocol had it.
        UnknownNameError: there is none; the message lists all.
    """
    if name in _BEFORE:
        raise InvalidValueError(
            f"fidelity {name!r} belongs to protocol {_BEFORE[name]}: its tables can be read, but rows are now measured "
            f"with one of {', '.join(FIDELITIES)}"
        )
    look_up("fidelity", FIDELITIES, name)
    return FIDELITIES[name].get(task, _OF_ALL_TASKS[name])
