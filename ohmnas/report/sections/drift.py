"""Predicted and measured accuracy over time."""

from __future__ import annotations

from collections.abc import Sequence

from ohmnas.report.drift import SECONDS, TARGETS_OVER_TIME, TIME_NAMES
from ohmnas.report.over_time import drift_chart
from ohmnas.report.page import Figure, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject


def drift_section(subjects: Sequence[Subject]) -> Section | None:
    """Return the section with curves and their numbers, or with a hint if nothing is known.

    None if nothing is known and all results are refinements from earlier versions, which lack accuracies over time.
    """
    picture = drift_chart(subjects)
    if picture is None:
        if all(one.is_refined for one in subjects):  # a refinement saves no surrogate
            return None
        lacking = "The accuracy over time is unknown: no surrogate was found that predicts it. Pass --surrogate."
        return Section("drift", "Drift", [lacking])
    rows = []
    for one in subjects:
        for name, drift in one.drift.items():
            if len(subjects) > 1 and name != "found":
                continue
            label = name if len(subjects) == 1 else one.name
            cells = [
                number_cell(f"{100 * mean:.2f} ({100 * low:.1f} to {100 * high:.1f})", mean)
                for mean, low, high in zip(drift.values, drift.low, drift.high, strict=True)
            ]
            rows.append([text_cell(label), text_cell("predicted"), *cells])
    for one in subjects:
        for name, network in (one.measurement.networks if one.measurement else {}).items():
            means = [network.mean(target) for target in TARGETS_OVER_TIME.values()]
            cells = [
                number_cell("-" if mean is None else f"{100 * mean:.2f}", float("nan") if mean is None else mean)
                for mean in means
            ]
            rows.append(
                [text_cell(name if len(subjects) == 1 else f"{one.name}: {name}"), text_cell("measured"), *cells]
            )
        for name, candidate in one.networks.items():
            if {*TARGETS_OVER_TIME.values()} <= candidate.measured.keys():
                values = [candidate.measured[target] for target in TARGETS_OVER_TIME.values()]
                label = name if len(subjects) == 1 else f"{one.name}: {name}"
                cells = [number_cell(f"{100 * value:.2f}", value) for value in values]
                rows.append([text_cell(label), text_cell("measured, validation images"), *cells])
    grid = Grid(["network", "", *(f"{TIME_NAMES[time]} (%)" for time in SECONDS)], rows)
    note = (
        f"{picture.note} The accuracies are predicted as the 1-day accuracy plus a difference for each other time, and "
        "the AVM by its own model. The difference between the accuracies at two times is less certain than the AVM."
    )
    figure = Figure(
        picture.title,
        picture.svg,
        picture.legend,
        note if rows and any(one.drift for one in subjects) else picture.note,
    )
    return Section("drift", "Drift", figures=[figure], details=[("Numbers", grid)])
