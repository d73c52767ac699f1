"""Axes of charts: scales and readable ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ohmnas.pictures import short

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_STEPS: Final = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
"""Ticks per decade, from few to many."""
_PAD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from `low` to `high`, with ticks."""

    label: str
    low: float
    high: float
    is_log: bool = False
    ticks: Sequence[tuple[float, str]] = field(default=())
    """Value and text of each tick."""

    def share(self, value: float) -> float:
        """Return the position of a value: 0 at the low end, 1 at the high end; values beyond them are clipped."""
        low, high, at = (math.log(max(x, 1e-300)) if self.is_log else x for x in (self.low, self.high, value))
        return min(max((at - low) / (high - low), -0.02), 1.02)


def axis(label: str, values: Iterable[float], is_log: bool = False, ticks: int = 5) -> Axis:
    """Return an axis that shows all values with some room.

    Args:
        label: title with unit.
        values: shown values; values that are not finite are ignored; on a logarithmic axis, also values that are not
            above 0.
        is_log: True for a logarithmic axis.
        ticks: desired number of ticks.
    """
    known = [value for value in values if math.isfinite(value) and (value > 0 or not is_log)] or [1.0]
    low, high = min(known), max(known)
    if is_log:
        pad = max((high / low) ** _PAD, 1.03)
        low, high = low / pad, high * pad
        return Axis(label, low, high, True, _log_ticks(low, high, ticks))
    room = (high - low) * _PAD
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # equal but for rounding
        room = max(abs(high) * _PAD, 1e-3)
    low, high = low - room, high + room
    return Axis(label, low, high, False, _linear_ticks(low, high, ticks))


def _linear_ticks(low: float, high: float, ticks: int) -> list[tuple[float, str]]:
    rough = (high - low) / ticks
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in _STEPS if unit * each >= rough * 0.999)
    decimals = next(places for places in range(13) if abs(round(step, places) - step) < step * 1e-6)
    count = math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
    first = math.ceil(low / step - 1e-9)
    values = [(first + index) * step for index in range(count)]
    return [(value, f"{value:,.{decimals}f}") for value in (value if value else 0.0 for value in values)]


def _log_ticks(low: float, high: float, ticks: int) -> list[tuple[float, str]]:
    """Return the finest ticks, up to one more than wanted, but at least two."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    chosen: list[float] = []
    for steps in _LOG_STEPS:
        found = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(found) <= ticks + 1 or len(chosen) < 2:
            chosen = found
    for more in (3, 4, 6):
        if len(chosen) < 2:
            chosen = [value for value, _ in _linear_ticks(low, high, more) if value > 0]
    return [(value, short(value)) for value in chosen]
