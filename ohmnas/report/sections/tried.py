"""Networks that a refinement measured."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from typing import Final

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.errors import counted
from ohmnas.report import charts
from ohmnas.report.axes import axis
from ohmnas.report.charts import Picture
from ohmnas.report.page import Cell, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.report.svg import Chart
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS

_TALL: Final = 12
"""Number of rows above which the table scrolls."""
_FEWEST: Final = 3
"""Smallest number of networks that are drawn."""


def tried_section(one: Subject, ids: Mapping[int, str], several: bool, place: int = 0) -> Section | None:
    """Return the section of one result; None if it has no networks that were tried.

    Args:
        one: a result.
        ids: `id` of a candidate -> id of its network on the page.
        several: True if the page shows several results.
        place: place of the result on the page, which sets its colour.
    """
    tried = one.result.tried
    if not tried:
        return None
    measured = [target.name for target in one.targets]
    pictures = [_chart(one, ids, place, "accuracy_1d", "params"), _chart(one, ids, place, measured[2], "accuracy_1d")]
    rows = [
        [
            number_cell(f"{number}", number),
            text_cell(_name(one, each)),
            number_cell(f"{each.trainings}", each.trainings),
            *(_cell(name, each.measured.get(name, nan)) for name in measured),
            _cell("accuracy_1d", charts.value(each, "accuracy_1d")),
            *(_cell(name, charts.value(each, name)) for name in ("params", "macs")),
            text_cell(str(each.architecture)),
        ]
        for number, each in enumerate(tried, 1)
    ]
    titles = [
        "number",
        "name",
        "training runs",
        *(WORDS[name].label for name in measured),
        f"expected {WORDS['accuracy_1d'].label}",
        WORDS["params"].label,
        WORDS["macs"].label,
        "architecture",
    ]
    has_pictures = len(tried) >= _FEWEST
    order = ", numbered in the order of their first training runs" if len(tried) > 1 else ""
    text = [
        f"The refinement trained {counted(len(tried), 'network')}{order}. Values are measured on validation images, "
        "means over training runs. The expected accuracy also uses predictions."
    ]
    if has_pictures:
        text.append("Large dot: found network. Rings: reference networks.")
    return Section(
        f"tried-{one.anchor}" if several else "tried",
        f"Networks tried{f': {one.name}' if several else ''}",
        text,
        pictures=pictures if has_pictures else [],
        picks=has_pictures,
        grid=Grid(titles, rows, [ids[id(each)] for each in tried], True, len(tried) > _TALL),
    )


def _cell(name: str, amount: float) -> Cell:
    return number_cell(WORDS[name].number(amount) if isfinite(amount) else "-", amount)


def _chart(one: Subject, ids: Mapping[int, str], place: int, vertical: str, horizontal: str) -> Picture:
    """Draw the measured values of all networks, the found one on top."""
    across, up = WORDS[horizontal], WORDS[vertical]
    tried = one.result.tried
    points = [(across.shown(_measured(each, horizontal)), up.shown(_measured(each, vertical))) for each in tried]
    chart = Chart(
        axis(across.label, [x for x, _ in points], across.is_log),
        axis(up.label, [y for _, y in points]),
        f"Networks tried: {up.title} against {across.title}",
        charts.SMALL,
    )
    names = [_name(one, each) for each in tried]
    marks = {"": ("others", 4.0), FOUND: (f"{charts.colour(place)} best", 6.5)}
    for row in sorted(range(len(tried)), key=lambda row: (names[row] != "", names[row] == FOUND)):
        chart.dot(points[row], *marks.get(names[row], ("ref cross", 4.0)), ids[id(tried[row])])
    for name, point in zip(names, points, strict=True):
        if name not in marks:
            chart.name(point, name, "ref")
    return Picture(f"{up.title} and {across.title}", chart.markup())


def _name(one: Subject, candidate: Candidate) -> str:
    """Return ``found``, or the name of a reference network; empty for others."""
    if candidate.genome == one.result.best.genome:
        return FOUND
    return next((each.name for each in one.result.references if each.genome == candidate.genome), "")


def _measured(candidate: Candidate, name: str) -> float:
    return candidate.measured[name] if name in candidate.measured else charts.value(candidate, name)
