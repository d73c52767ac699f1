"""Predictions and measurements of networks, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from ohmnas.report import charts
from ohmnas.report.columns import LIMITS
from ohmnas.report.differences import differences_grid
from ohmnas.report.measured import Measurement
from ohmnas.report.page import Section
from ohmnas.report.subject import Subject
from ohmnas.report.values import architectures_grid, values_grid
from ohmnas.search.quantity_words import WORDS


def predicted_section(one: Subject, several: bool, place: int = 0, beside: Sequence[Subject] = ()) -> Section:
    """Return the section of one result: charts, a table of networks, and paired differences.

    Args:
        one: a result.
        several: True if the page shows several results.
        place: place of the result on the page, which sets its colour.
        beside: the other results on the page.
    """
    measured = one.measurement
    text = [_marks(one)] if measured is None else [_marks_beside_measurements(one, measured)]
    after = _next_steps(one) if measured is None else _comparability(measured)
    details = [("Architectures", architectures_grid(one, one.found_name(several)))]
    if measured is not None and measured.differences:
        details.append(("Differences, paired over training runs (95 % intervals)", differences_grid(measured)))
    return Section(
        f"measured-{one.anchor}" if several else "measured",
        f"{_title(one)}{f': {one.name}' if several else ''}",
        [*text, *_quality(one)],
        pictures=charts.predicted_charts(one, place, one.found_name(several), beside),
        grid=values_grid(one, charts.colour(place), one.found_name(several)),
        notes=_footnotes(one),
        details=details,
        command=_commands(one) if measured is None else "",
        after=after,
    )


def _title(one: Subject) -> str:
    if one.measurement is not None:
        return "Predicted and measured"
    return "Expected and measured" if one.is_refined else "Predictions"


def _marks(one: Subject) -> str:
    """Explain the marks of the charts before the networks are measured on test images."""
    if one.is_refined:
        return "Circles: expected, from measurements and predictions. Dots: measured, on validation images."
    marks = "Circles: predictions. Bars: 90 % prediction intervals."
    if any(one.labels(candidate) for candidate in one.networks.values()):
        marks += " Dots: measured in the surrogate's table, on validation images."
    return marks


def _marks_beside_measurements(one: Subject, measured: Measurement) -> str:
    circles = "expected values" if one.is_refined else "predictions, with 90 % intervals"
    count, chips = measured.trainings, f"on {measured.chips} chips"
    runs = f"mean of {count} training runs (small dots) {chips} each" if count > 1 else f"one training run {chips}"
    labels = any(one.labels(candidate) for candidate in one.networks.values())
    of_table = " Dots between them: measured in the surrogate's table, on validation images." if labels else ""
    return (
        f"Circles: {circles}. Dots below them: measured, {runs}, {measured.test_images:,} test images.{of_table} "
        "Circles refer to validation images."
    )


def _quality(one: Subject) -> list[str]:
    """State the mean error of the surrogate in cross-validation; empty if it is unknown."""
    if one.typical_error is None:
        return []
    return [
        "In cross-validation, the surrogate's predictions of the 1-day accuracy were wrong by "
        f"{100 * one.typical_error:.2f} points on average, over networks with a similar predicted accuracy."
    ]


def _commands(one: Subject) -> str:
    path = quote(str(one.path))
    return f"ohmnas verify {path} {one.flags}\nohmnas report {path}\nohmnas train {path} {one.flags} --out net"


def _next_steps(one: Subject) -> list[str]:
    """Explain the commands."""
    verify = (
        "The first command trains the found network and the best reference network and measures them on test images"
    )
    rest = (
        "the second writes this page again, with the measured values; the third trains the found network and keeps it."
    )
    if one.is_refined:
        return [f"{verify} at four points in time after programming; {rest}"]
    return [f"{verify}; {rest}"]


def _comparability(measured: Measurement) -> list[str]:
    """Warn if the surrogate and the measurement used different fidelities."""
    if measured.fidelity == measured.predicted_fidelity:
        return []
    return [
        "Predictions and measurements are not comparable: the surrogate was trained at fidelity "
        f"{measured.predicted_fidelity or 'unknown'}, and the measurement used {measured.fidelity}."
    ]


def _footnotes(one: Subject) -> list[str]:
    """Explain the asterisk and the kinds of values in the table."""
    notes = []
    missed = {limit for candidate in one.networks.values() for limit in candidate.misses}
    if missed:
        quantities = {LIMITS[limit][0] if limit in LIMITS else limit.partition("_")[2] for limit in missed}
        names = " or ".join(sorted(WORDS[name].title if name in WORDS else name for name in quantities))
        notes.append(
            f"* misses the limit on {names}, according to {'expected' if one.is_refined else 'predicted'} values"
        )
    if one.is_refined:
        notes.append("held out: prediction of surrogates that were not trained on the network")
    return notes
