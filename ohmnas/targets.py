"""`Target`: a quantity that is measured and predicted. Does not import NumPy, so command-line help is fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ohmnas.lookup import look_up

Scale = Literal["linear", "log"]
TIMES: Final = {"1s": "1 second", "1h": "1 hour", "1d": "1 day", "1mo": "1 month"}
"""Name in columns -> time after programming, in words."""


@dataclass(frozen=True, slots=True)
class Target:
    """One measured quantity of a network: a fraction, except for `DEVICE_LATENCY`."""

    name: str
    """Column name in tables."""
    title: str
    """Column title shown to users."""
    larger_is_better: bool
    low: float
    """Smallest possible value."""
    high: float
    """Largest possible value."""
    scale: Scale = "linear"
    """Scale on which a surrogate learns the target: ``log`` for standard deviations, where ratios matter."""


def _accuracy(time: str) -> Target:
    return Target(f"accuracy_{time}", f"accuracy after {TIMES[time]}", True, 0.0, 1.0)


def _spread(time: str) -> Target:
    return Target(f"accuracy_{time}_std", f"std over chips after {TIMES[time]}", False, 0.0, 1.0, "log")


ACCURACY: Final = Target("accuracy_1d", "1-day accuracy", True, 0.0, 1.0)
SPREAD: Final = Target("accuracy_1d_std", "std", False, 0.0, 1.0, "log")
VARIATION: Final = Target("avm", "AVM", False, -1.0, 1.0)
"""Accuracy variation over one month: accuracy after 1 second minus accuracy after 30 days."""
VARIATION_60S: Final = Target("avm_60s", "AVM from 60 s", False, -1.0, 1.0)
"""Accuracy after 60 seconds minus accuracy after 30 days. AnalogNAS-Bench has no readings at 1 second."""
VARIATIONS: Final = (VARIATION, VARIATION_60S)
"""The AVM, and its substitute in tables without readings at 1 second."""
DEFAULTS: Final = (ACCURACY, SPREAD, VARIATION)
"""Default targets, as in AnalogNAS."""
DEFAULT_NAMES: Final = tuple(target.name for target in DEFAULTS)
"""Names of the default targets, in the order of a surrogate's columns."""
DEVICE_LATENCY: Final = Target("device_latency", "latency on the device", False, 0.0, 3600.0)
"""Seconds per image on the user's own device. No table has it."""
TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        *DEFAULTS,
        VARIATION_60S,
        Target("accuracy_digital", "digital accuracy", True, 0.0, 1.0),
        *(_accuracy(time) for time in TIMES if time != "1d"),
        *(_spread(time) for time in TIMES if time != "1d"),
        Target("avm_std", "std of AVM over chips", False, 0.0, 2.0, "log"),
        DEVICE_LATENCY,
    )
}
"""Name -> target: all targets of tables, and `DEVICE_LATENCY`."""


def variation_of(names: Iterable[str]) -> Target:
    """Return the first of `VARIATIONS` among these names; the AVM if there is none."""
    there = {*names}
    return next((one for one in VARIATIONS if one.name in there), VARIATION)


def target(name: str) -> Target:
    """Return the target with this name.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
    """
    return look_up("target", TARGETS, name)
