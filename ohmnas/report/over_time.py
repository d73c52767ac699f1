"""Chart of the accuracy over time: predictions with their intervals, and measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.report.axes import Axis, axis
from ohmnas.report.charts import Picture, colour
from ohmnas.report.drift import SECONDS, TARGETS_OVER_TIME, TIME_NAMES, Drift
from ohmnas.report.measured import MeasuredNetwork
from ohmnas.report.subject import Subject
from ohmnas.report.svg import Chart

_APART: Final = 0.3
"""Distance between neighbouring marks for one time, in decades of time."""
_WITHIN: Final = 0.9
"""Largest distance between the first and the last mark for one time. The times are at least 1.38 decades apart."""
_HEIGHT: Final = 330


@dataclass(frozen=True, slots=True)
class _Curve:
    """One network in the chart."""

    kind: str
    label: str
    drift: Drift | None
    measured: MeasuredNetwork | None
    validated: Mapping[str, float]
    """Target -> mean measurement on validation images; shown if the network was not measured on test images."""

    @property
    def means(self) -> list[tuple[float, float, float]]:
        """Seconds, mean and standard error of each measured time, in per cent."""
        if self.measured is None:
            if not {*TARGETS_OVER_TIME.values()} <= self.validated.keys():
                return []
            return [(SECONDS[time], 100 * self.validated[name], 0.0) for time, name in TARGETS_OVER_TIME.items()]
        means = ((SECONDS[time], self.measured.mean(name), name) for time, name in TARGETS_OVER_TIME.items())
        return [
            (at, 100 * mean, 100 * (self.measured.error(name) or 0.0)) for at, mean, name in means if mean is not None
        ]


def time_axis() -> Axis:
    """Return the axis of the four times."""
    return Axis("time since programming", 0.33, 8e6, "log", [(SECONDS[time], TIME_NAMES[time]) for time in SECONDS])


def drift_chart(subjects: Sequence[Subject]) -> Picture | None:
    """Draw predicted accuracies over time with 90 % intervals, and measured values; None if nothing is known.

    The marks for one time are side by side, so the intervals of networks with similar accuracies do not overlap.
    """
    curves = list(_curves(subjects))
    values = [100 * end for one in curves if one.drift for end in (*one.drift.low, *one.drift.high)]
    values += [mean + side * error for one in curves for _, mean, error in one.means for side in (-1, 1)]
    if not values:
        return None
    predicted = [one for one in curves if one.drift]
    measured = [one for one in curves if one.means]
    chart = Chart(time_axis(), axis("accuracy (%)", values), "Accuracy over time since programming", _HEIGHT)
    places = _places(len(predicted) + len(measured))
    for one, shift in zip(predicted, places, strict=False):
        _draw_prediction(chart, one, shift)
    for one, shift in zip(measured, places[len(predicted) :], strict=True):
        chart.line([(at * shift, mean) for at, mean, _ in one.means], f"{one.kind} light")
        for at, mean, error in one.means:
            chart.bar((at * shift, mean - error), (at * shift, mean + error), one.kind)
            chart.dot((at * shift, mean), one.kind, 4.5)
    legend = [(f"line {one.kind}", f"{one.label}, predicted") for one in predicted]
    legend += [(f"dot {one.kind}", f"{one.label}, measured") for one in measured]
    notes = []
    if predicted:
        notes.append("Bars with ends: 90 % prediction intervals, for each time separately.")
    if any(one.measured for one in measured):
        notes.append("Measured: mean over training runs, with its standard error, on test images.")
    if any(one.measured is None for one in measured):
        notes.append("Measured on validation images: mean over training runs, including earlier rows of the store.")
    if len(places) > 1:
        notes.append("Marks for the same time are side by side.")
    return Picture("Accuracy over time", chart.markup(), legend, " ".join(notes))


def _curves(subjects: Sequence[Subject]) -> Iterator[_Curve]:
    """Yield the found network of each result; for a single result, also its best reference network."""
    for place, one in enumerate(subjects):
        label = FOUND if len(subjects) == 1 else one.name
        yield _Curve(
            colour(place),
            label,
            one.drift.get(FOUND),
            one.measured_network(FOUND, one.result.best),
            one.result.best.measured,
        )
    best = subjects[0].result.best
    others = [one for one in subjects[0].result.references if one.genome != best.genome]
    if len(subjects) == 1 and others:
        known = others[0]
        drift = subjects[0].drift.get(known.name)
        yield _Curve("ref", known.name, drift, subjects[0].measured_network(known.name, known), known.measured)


def _places(count: int) -> list[float]:
    """Return factors that shift a time, one per mark, so the marks are side by side and centred on the time."""
    apart = min(_APART, _WITHIN / max(count, 1))
    return [10 ** (apart * (place - (count - 1) / 2)) for place in range(count)]


def _draw_prediction(chart: Chart, one: _Curve, shift: float) -> None:
    """Draw a line through the predictions, and the interval of each."""
    if one.drift is None:
        return
    times = [at * shift for at in SECONDS.values()]
    means, lows, highs = ([100 * value for value in of] for of in (one.drift.values, one.drift.low, one.drift.high))
    chart.line([*zip(times, means, strict=True)], f"{one.kind} light")
    for at, mean, low, high in zip(times, means, lows, highs, strict=True):
        chart.interval((at, low), (at, high), one.kind)
        chart.dot((at, mean), f"hollow {one.kind}", 3.5)
