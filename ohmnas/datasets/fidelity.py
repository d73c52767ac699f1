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


FIDELITIES = {
    f.name: f
    for f in (
        Fidelity("smoke", epochs=1, chips=2, train_images=256, validation_images=400, test_images=400, resolution=16),
        Fidelity("low", epochs=12, chips=10, train_images=5000, validation_images=1000, test_images=2500),
        Fidelity("paper", epochs=24, chips=25),
    )
}
"""`smoke` shows that everything runs, `low` is what two cores can do with 32x32 images, `paper` has the 25 chips of the
AnalogNAS protocol."""


def fidelity(name: str) -> Fidelity:
    """The fidelity of that name.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    return look_up("fidelity", FIDELITIES, name)
