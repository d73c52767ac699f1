"""Predictions of networks beside their measurements."""

from __future__ import annotations

from math import isnan
from shlex import quote

from ohmnas.report import charts
from ohmnas.report.columns import asked_quantities, cells_of, columns_of
from ohmnas.report.measured import Measurement
from ohmnas.report.page import Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS


def predicted_section(one: Subject, several: bool) -> Section:
    """Return the section of one result: charts, a table of networks, and paired differences."""
    title = f"Predicted and measured{f': {one.name}' if several else ''}"
    measured = one.measurement
    if measured is None:
        title = f"{'Expected and measured' if one.is_refined else 'Predictions'}{f': {one.name}' if several else ''}"
        text = ["Circles: predictions. Bars: 90 % prediction intervals."]
        if one.is_refined:
            text = ["Circles: expected, from measurements and predictions. Dots: measured, on validation images."]
        command = f"ohmnas verify {quote(str(one.path))} {one.flags}"
        after = [
            "This command measures the networks. A new report then shows predicted and measured values side by side."
        ]
    else:
        command = ""
        text = [
            f"Circles: predictions, with 90 % intervals. Dots: measured, mean of {measured.trainings} trainings (small "
            f"dots) on {measured.chips} chips each, {measured.test_images:,} test images. Predictions are for "
            "validation images."
        ]
        after = []
        if measured.fidelity != measured.predicted_fidelity:
            after = [
                "Predictions and measurements are not comparable: the surrogate was trained at fidelity "
                f"{measured.predicted_fidelity or 'unknown'}, the measurement used {measured.fidelity}."
            ]
    columns = columns_of(one, asked_quantities(one))
    means_of = {name: _measured_means(one, name, candidate) for name, candidate in one.networks.items()}
    has_two = any(means_of.values())  # two kinds of values: predicted and measured
    rows = []
    for name, candidate in one.networks.items():
        label = text_cell(name + (" *" if candidate.misses else ""), f"dot {'r0' if name == 'found' else 'ref'}")
        architecture = text_cell(str(candidate.architecture))
        estimate = "expected" if candidate.trainings else "predicted"
        rows.append([label, *([text_cell(estimate)] if has_two else []), *cells_of(candidate, columns), architecture])
        if means := means_of[name]:
            numbers = [means.get(quantity, float("nan")) for quantity in columns]
            cells = [
                number_cell("" if isnan(number) else WORDS[quantity].number(number), number)
                for quantity, number in zip(columns, numbers, strict=True)
            ]
            rows.append([label, text_cell("measured"), *cells, text_cell("")])
    if any(candidate.misses for candidate in one.networks.values()):
        after.append("* violates a limit on a prediction")
    titles = ["network", *(["values"] if has_two else []), *(WORDS[name].label for name in columns), "architecture"]
    grid = Grid(titles, rows)
    anchor = f"measured-{one.anchor}" if several else "measured"
    details = []
    if measured is not None and measured.differences:
        details = [("Differences, paired over trainings (95 % intervals)", _differences(measured))]
    pictures = charts.predicted_charts(one)
    return Section(anchor, title, text, pictures=pictures, grid=grid, details=details, command=command, after=after)


def _measured_means(one: Subject, name: str, candidate: Candidate) -> dict[str, float]:
    """Target -> mean measurement of a network on test images or, in a refinement, on validation images."""
    network = one.measurement.networks.get(name) if one.measurement else None
    if network is None or network.genome != candidate.genome:
        return candidate.measured
    means = {target: network.mean(target) for target in network.values}
    return {target: mean for target, mean in means.items() if mean is not None}


def _differences(measured: Measurement) -> Grid:
    rows = []
    for each in measured.differences:
        words = WORDS[each.target]
        between = "-" if each.low is None or each.high is None else f"{100 * each.low:+.2f} to {100 * each.high:+.2f}"
        rows.append(
            [
                text_cell(f"{each.network} - {each.against}"),
                text_cell(words.title),
                number_cell(f"{100 * each.mean:+.2f}", each.mean),
                text_cell(between),
                number_cell("-" if each.p is None else f"{each.p:.3g}", float("nan") if each.p is None else each.p),
            ]
        )
    return Grid(["networks", "quantity", "difference (points)", "interval", "p"], rows)
