"""Predictions of networks beside their measurements."""

from __future__ import annotations

from math import isnan
from shlex import quote

import numpy as np

from ohmnas.datasets.campaign.fidelity import FIDELITIES
from ohmnas.report import charts
from ohmnas.report.columns import LIMITS, asked_quantities, cells_of, columns_of, targets_of
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
        path = quote(str(one.path))
        command = f"ohmnas verify {path} {one.flags}\nohmnas report {path}\nohmnas train {path} {one.flags} --out net"
        verify = "The first command trains the found and the reference network anew and measures them on test images"
        rest = "the second writes this page again, with these values; the third trains the found network and keeps it."
        if one.is_refined:
            text = ["Circles: expected, from measurements and predictions. Dots: measured, on validation images."]
            after = [f"{verify}, at four times after programming; {rest}"]
        else:
            text = ["Circles: predictions. Bars: 90 % prediction intervals."]
            after = [f"{verify}; {rest}"]
            if one.fidelity not in (*FIDELITIES, "unknown"):
                after.append(
                    f"The surrogate learned from trainings of the fidelity {one.fidelity}, which no longer exists. "
                    "Compare measured values with measured values."
                )
    else:
        command = ""
        circles = "expected values" if one.is_refined else "predictions, with 90 % intervals"
        text = [
            f"Circles: {circles}. Dots: measured, mean of {measured.trainings} trainings (small "
            f"dots) on {measured.chips} chips each, {measured.test_images:,} test images. Circles are for "
            "validation images."
        ]
        after = []
        if measured.fidelity != measured.predicted_fidelity:
            after = [
                "Predictions and measurements are not comparable: the surrogate was trained at fidelity "
                f"{measured.predicted_fidelity or 'unknown'}, the measurement used {measured.fidelity}."
            ]
    columns = columns_of(
        one, [*asked_quantities(one), *(("tiles", "energy") if "tiles" in one.result.best.costs else ())]
    )
    means_of = {name: _measured_means(one, name, candidate) for name, candidate in one.networks.items()}
    in_table = {} if one.is_refined else _measured_in_table(one)
    has_two = any(means_of.values()) or bool(in_table)  # two kinds of values: predicted and measured
    rows = []
    for name, candidate in one.networks.items():
        label = text_cell(name + (" *" if candidate.misses else ""), f"dot {'r0' if name == 'found' else 'ref'}")
        architecture = text_cell(str(candidate.architecture))
        estimate = "expected" if candidate.trainings else "predicted"
        rows.append([label, *([text_cell(estimate)] if has_two else []), *cells_of(candidate, columns), architecture])
        trainings = f" ({candidate.trainings} training{'s' if candidate.trainings > 1 else ''})"
        kinds = (
            ("held out", candidate.held_out),
            (f"measured{trainings if candidate.trainings and measured is None else ''}", means_of[name]),
            ("measured in the table", in_table.get(name, {})),
        )
        for kind, means in kinds:
            if not means:
                continue
            numbers = [means.get(quantity, float("nan")) for quantity in columns]
            cells = [
                number_cell("" if isnan(number) else WORDS[quantity].number(number), number)
                for quantity, number in zip(columns, numbers, strict=True)
            ]
            rows.append([label, text_cell(kind), *cells, text_cell("")])
    missed = {limit for candidate in one.networks.values() for limit in candidate.misses}
    if missed:
        names = " and ".join(sorted(WORDS[LIMITS[limit][0]].title if limit in LIMITS else limit for limit in missed))
        after.append(f"* misses a limit on {names}, by {'expected' if one.is_refined else 'predicted'} values")
    if one.is_refined:
        after.append("held out: prediction of surrogates that were not trained on the network")
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


def _measured_in_table(one: Subject) -> dict[str, dict[str, float]]:
    """Name -> labels in the surrogate's table, for networks that are in it; empty without the table."""
    if one.neighbours is None:
        return {}
    rows = one.neighbours.rows
    genomes = rows[list(one.result.space.gene_names)].to_numpy()
    found = {}
    for name, candidate in one.networks.items():
        (places,) = np.nonzero((genomes == np.array(candidate.genome)).all(axis=1))
        if len(places):
            labels = rows.iloc[places[0]]
            found[name] = {target.name: float(labels[target.name]) for target in targets_of(one)}
    return found


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
