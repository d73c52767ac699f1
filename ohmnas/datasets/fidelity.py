"""How thoroughly a row is measured, as an explicit choice that every row records."""

from __future__ import annotations

from dataclasses import dataclass

from ohmnas.lookup import look_up


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Effort of one measurement; rows of different fidelity are different rows."""

    name: str
    """What tables and commands call it."""
    epochs: int
    """Passes over the training images."""
    train_images: int | None
    """So many of the training images; None is all."""
    chips: int
    """Programming events of the trained network."""


FIDELITIES = {
    f.name: f
    for f in (
        Fidelity("smoke", epochs=1, train_images=256, chips=2),
        Fidelity("low", epochs=12, train_images=None, chips=10),
        Fidelity("paper", epochs=24, train_images=None, chips=25),
    )
}
"""`smoke` shows that everything runs, `low` is for a first look, `paper` has the 25 chips of the AnalogNAS protocol."""


def fidelity(name: str) -> Fidelity:
    """The fidelity of that name.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    return look_up("fidelity", FIDELITIES, name)
