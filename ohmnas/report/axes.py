"""Axes of charts: scales and readable ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ohmnas.pictures import short

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_STEPS: Final = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0))
"""Ticks in each decade, as multiples of its power of ten, from few to many."""
_PAD: Final = 0.05
_FEWEST: Final = 3
"""Smallest number of ticks. An error axis, which has no ticks below 0 %, and an axis of counts may have fewer."""
_FEW_COUNTS: Final = 6
"""With up to this many distinct counts, each gets a tick."""
_LEAST_ERROR: Final = 0.01
"""Smallest error in per cent on an error axis, because a logarithmic scale cannot show 0."""

Scale = Literal["linear", "log", "error"]
"""``error``: the logarithm of the distance to 100 %, which spreads out accuracies near 100 %."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from `low` to `high`, with ticks."""

    label: str
    low: float
    high: float
    scale: Scale = "linear"
    ticks: Sequence[tuple[float, str]] = field(default=())
    """Value and text of each tick."""

    def share(self, value: float) -> float:
        """Return the position of a value: 0 at the low end, 1 at the high end, always between -0.02 and 1.02."""
        low, high, at = (self._position(one) for one in (self.low, self.high, value))
        return min(max((at - low) / (high - low), -0.02), 1.02)

    def _position(self, value: float) -> float:
        if self.scale == "error":
            return -math.log(max(100.0 - value, 0.5 * _LEAST_ERROR))
        return math.log(max(value, 1e-300)) if self.scale == "log" else value


def axis(label: str, values: Iterable[float], is_log: bool = False, ticks: int = 5, is_count: bool = False) -> Axis:
    """Return an axis that shows all values, with some room at both ends.

    Args:
        label: title with unit.
        values: values to show. Values that are not finite are ignored; a logarithmic axis also ignores values of 0 or
            less.
        is_log: True for a logarithmic axis.
        ticks: desired number of ticks.
        is_count: True for whole numbers on a linear axis. A few numbers get a tick each; many get ticks at whole
            numbers.
    """
    known = [value for value in values if math.isfinite(value) and (value > 0 or not is_log)] or [1.0]
    low, high = min(known), max(known)
    if is_log:
        pad = max((high / low) ** _PAD, 1.03)
        low, high = low / pad, high * pad
        return Axis(label, low, high, "log", _log_ticks(low, high, ticks))
    room = (high - low) * _PAD
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # equal up to rounding
        room = max(abs(high) * _PAD, 1e-3)
    low, high = low - room, high + room
    found = _linear_ticks(low, high, ticks)
    if is_count and len({*known}) <= _FEW_COUNTS:
        found = [(value, f"{value:,.0f}") for value in sorted({*known})]
    elif is_count:
        found = [(value, text.partition(".")[0]) for value, text in found if value % 1 == 0]
    return Axis(label, low, high, "linear", found)


def error_axis(label: str, values: Iterable[float], ticks: int = 9) -> Axis:
    """Return an axis of accuracies in per cent with a logarithmic scale for the errors (the distances to 100 %).

    Args:
        label: title with unit.
        values: accuracies in per cent; values that are not finite are ignored.
        ticks: desired number of ticks.
    """
    errors = [max(100.0 - value, _LEAST_ERROR) for value in values if math.isfinite(value)] or [1.0]
    of_errors = axis("", errors, is_log=True, ticks=ticks)
    found = [100.0 - error for error, _ in reversed(of_errors.ticks) if error <= 100.0]
    decimals = next((n for n in range(6) if all(abs(round(one, n) - one) < 1e-9 for one in found)), 6)
    texts = [
        (value, f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}") for value in found
    ]
    return Axis(label, 100.0 - of_errors.high, 100.0 - of_errors.low, "error", texts)


def _linear_ticks(low: float, high: float, ticks: int) -> list[tuple[float, str]]:
    """Return about `ticks` ticks, but at least `_FEWEST`."""
    found: list[tuple[float, str]] = []
    while len(found) < _FEWEST:
        found = _round_numbers(low, high, ticks)
        ticks += 1
    return found


def _round_numbers(low: float, high: float, ticks: int) -> list[tuple[float, str]]:
    rough = (high - low) / ticks
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in _STEPS if unit * each >= rough * 0.999)
    decimals = next(places for places in range(13) if abs(round(step, places) - step) < step * 1e-6)
    count = math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
    first = math.ceil(low / step - 1e-9)
    values = [(first + index) * step for index in range(count)]
    return [(value, f"{value:,.{decimals}f}") for value in (value if value else 0.0 for value in values)]


def _log_ticks(low: float, high: float, ticks: int) -> list[tuple[float, str]]:
    """Return the finest set of at most `ticks` + 1 ticks, but of at least `_FEWEST`."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    chosen: list[float] = []
    for steps in _LOG_STEPS:
        found = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(found) <= ticks + 1 or len(chosen) < _FEWEST:
            chosen = found
    if len(chosen) < _FEWEST:  # less than a decade: a linear scale has rounder numbers
        chosen = [value for value, _ in _linear_ticks(low, high, _FEWEST) if value > 0]
    texts = [short(value) for value in chosen]
    if len({*texts}) < len(texts):
        return [(value, f"{value:,g}") for value in chosen]
    return [*zip(chosen, texts, strict=True)]
