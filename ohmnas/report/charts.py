"""Charts of search results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from markupsafe import Markup

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.report.axes import Axis, axis, error_axis
from ohmnas.report.drift import TARGETS_OVER_TIME
from ohmnas.report.neighbours import Neighbours
from ohmnas.report.subject import Subject
from ohmnas.report.svg import Chart
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS, in_words

COLOURS: Final = 6
"""Number of colours for results; further results repeat them."""
MOST_ROWS: Final = 1500
"""Largest number of table rows in a chart; they are chosen evenly."""
_ACCURACIES: Final = ("accuracy_digital", *TARGETS_OVER_TIME.values())
_HIGH: Final = 90.0
"""Accuracy in per cent above which a linear axis would crowd the best networks at its end."""
_FEWEST: Final = 3
"""Smallest number of points of a curve."""
SMALL: Final = 280
"""Height in pixels of charts that are shown three in a row."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart with its title and the meaning of its marks."""

    title: str
    svg: Markup
    legend: Sequence[tuple[str, str]] = field(default=())
    """CSS class and meaning of each mark."""
    note: str = ""


def colour(place: int) -> str:
    """Return the CSS class for the colour of a result."""
    return f"r{place % COLOURS}"


def value(candidate: Candidate, name: str) -> float:
    """Return a quantity of a candidate; NaN if it is unknown."""
    if name in candidate.predicted:
        return candidate.predicted[name]
    if name in {"params", "macs"}:
        return float(candidate.params if name == "params" else candidate.macs)
    return candidate.costs.get(name, float("nan"))


def _axis(name: str, values: Sequence[float]) -> Axis:
    """Return the axis of a quantity; accuracies near 100 % get an axis of errors."""
    words = WORDS[name]
    shown = [words.shown(one) for one in values]
    if name in _ACCURACIES and max(shown, default=0.0) >= _HIGH:
        return error_axis(f"{words.label}, log of error", shown)
    return axis(words.label, shown, words.is_log)


def predicted_charts(one: Subject, place: int = 0, found: str = FOUND, beside: Sequence[Subject] = ()) -> list[Picture]:
    """Draw one chart for each target of the result: predictions with 90 % intervals, and measurements below them.

    Measurements are those on test images, those of a refinement, or the labels of the surrogate's table. Networks that
    a refinement measured have no interval.

    Args:
        one: a result.
        place: place of the result on the page, which sets its colour.
        found: name of the found network on the page.
        beside: other results on the page; the axes fit them too, so the charts can be compared.
    """
    networks = one.networks
    known = _measured(one)
    pictures = []
    for target in one.targets:
        words = WORDS[target.name]
        values = [each for subject in (one, *beside) for each in _values(subject, target.name)]
        y = Axis(
            "",
            -0.6,
            len(networks) - 0.4,
            "linear",
            [(len(networks) - 1 - i, found if name == FOUND else name) for i, name in enumerate(networks)],
        )
        chart = Chart(
            axis(words.label, values, ticks=4),
            y,
            f"{words.title} of the networks",
            64 + 46 * len(networks),
            has_names=True,
        )
        for line, (name, candidate) in enumerate(networks.items()):
            row, kind = float(len(networks) - 1 - line), colour(place) if name == FOUND else "ref"
            network = one.measured_network(name, candidate)
            # Predictions move up to leave room for measurements.
            above = 0.14 if network is not None or target.name in known[name] else 0.0
            if target.name in candidate.interval and not candidate.measured:
                low, high = (words.shown(end) for end in candidate.interval[target.name])
                chart.bar((low, row + above), (high, row + above), f"{kind} thin")
            if target.name in candidate.predicted:
                chart.dot((words.shown(candidate.predicted[target.name]), row + above), f"hollow {kind}", 4.5)
            if target.name in known[name]:
                below = 0.0 if network is not None else -0.14  # the lowest line is for test images
                chart.dot((words.shown(known[name][target.name]), row + below), f"{kind} validation", 3.5)
            mean = None if network is None else network.mean(target.name)
            if network is not None and mean is not None:
                for each in network.finite(target.name):
                    chart.dot((words.shown(each), row - 0.18), f"{kind} faint", 2.5)
                chart.dot((words.shown(mean), row - 0.18), kind, 5)
        pictures.append(Picture(words.title, chart.markup()))
    return pictures


def _measured(one: Subject) -> dict[str, dict[str, float]]:
    """Network -> its measurements on validation images, by target."""
    return {name: candidate.measured or one.labels(candidate) for name, candidate in one.networks.items()}


def _values(one: Subject, target: str) -> list[float]:
    """Return all values of a target that a chart of predictions shows."""
    words, known = WORDS[target], _measured(one)
    values = []
    for name, candidate in one.networks.items():
        values.append(value(candidate, target))
        if not candidate.measured:  # no intervals of measured networks: they would be too wide
            values += candidate.interval.get(target, ())
        if target in known[name]:
            values.append(known[name][target])
        if (network := one.measured_network(name, candidate)) is not None:
            values += network.finite(target)
    return [words.shown(each) for each in values]


def front_charts(subjects: Sequence[Subject], ids: Mapping[int, str]) -> list[Picture]:
    """Draw a chart for each pair of quantities of the fronts, but at most six charts.

    Args:
        subjects: results, with or without a front.
        ids: `id` of a candidate -> id of its network on the page.
    """
    quantities = list(dict.fromkeys(name for one in subjects for name in one.result.pareto))
    if not quantities:
        return []
    pairs = [(first, second) for first, second in combinations(quantities, 2)]
    pictures = []
    for vertical, horizontal in pairs[:6]:
        shown: list[tuple[Candidate, str, float]] = []
        known = {candidate.genome: candidate for one in subjects for candidate in one.result.references}
        for place, one in enumerate(subjects):
            shown += [(candidate, f"{colour(place)} front", 3.0) for candidate in one.result.front]
        shown += [(candidate, "ref cross", 4.0) for candidate in known.values()]
        shown += [(one.result.best, f"{colour(place)} best", 6.5) for place, one in enumerate(subjects)]
        points = [(value(c, horizontal), value(c, vertical)) for c, _, _ in shown]
        across, up = WORDS[horizontal], WORDS[vertical]
        chart = Chart(
            _axis(horizontal, [x for x, _ in points]),
            _axis(vertical, [y for _, y in points]),
            f"Front: {up.title} against {across.title}",
            *((SMALL,) if len(pairs) > 2 else ()),
        )
        for (candidate, kind, radius), (x, y) in zip(shown, points, strict=True):
            if np.isfinite([x, y]).all():
                chart.dot((across.shown(x), up.shown(y)), kind, radius, ids.get(id(candidate), ""))
        for candidate, kind, _ in shown:
            if kind == "ref cross":
                at = across.shown(value(candidate, horizontal)), up.shown(value(candidate, vertical))
                chart.name(at, candidate.name, "ref")
        pictures.append(Picture(f"{up.title} and {across.title}", chart.markup()))
    return pictures


def convergence_charts(subjects: Sequence[Subject]) -> list[Picture]:
    """Draw the best objective so far, the accuracy of the best network, and the hypervolume of fronts.

    The objective has no chart if it is the accuracy, or if the results have different objectives.
    """
    # A refinement may have no feasible network at first.
    histories = [
        (place, [entry for entry in one.result.history if entry.get("feasible", 1)])
        for place, one in enumerate(subjects)
    ]
    histories = [(place, history) for place, history in histories if history]
    if max((len(history) for _, history in histories), default=0) < _FEWEST:
        return []
    objectives = {one.result.objective for one in subjects}
    panels: list[tuple[str, str, float]] = []
    if len(objectives) == 1 and objectives != {"accuracy_1d"}:
        panels.append(("objective", in_words(objectives.pop()), 1.0))
    panels.append(("accuracy_1d", "1-day accuracy of the best network (%)", 100.0))
    if any("hypervolume" in entry for _, history in histories for entry in history):
        panels.append(("hypervolume", "hypervolume of the front", 1.0))
    pictures = []
    refined = all(one.is_refined for one in subjects)
    unit = "training runs" if refined else "networks scored"
    for name, label, factor in panels:
        lines = [
            (place, [(entry["evaluations"], factor * entry[name]) for entry in history if name in entry])
            for place, history in histories
        ]
        x = axis(
            unit,
            [at for _, line in lines for at, _ in line],
            is_log=not refined,
            is_count=True,
        )
        y = axis("", [best for _, line in lines for _, best in line])
        chart = Chart(x, y, f"Convergence: {label}", 240)
        for place, line in lines:
            chart.line(line, colour(place), step=not refined)
            for point in line if refined else ():
                chart.dot(point, colour(place), 4)
        pictures.append(Picture(label, chart.markup()))
    return pictures


def neighbours_chart(one: Subject, ids: Mapping[int, str], place: int = 0, found: str = FOUND) -> Picture | None:
    """Draw the measured networks of the table, with the neighbours of the found network and its prediction.

    Return None without the table.

    Args:
        one: a result.
        ids: row number in `Neighbours.rows` -> id of the network on the page.
        place: place of the result on the page, which sets its colour.
        found: name of the found network on the page.
    """
    near: Neighbours | None = one.neighbours
    if near is None:
        return None
    words = WORDS["accuracy_1d"]
    params, accuracy = near.rows["params"].to_numpy(), words.factor * near.rows["accuracy_1d"].to_numpy()
    best = one.result.best
    at = float(best.params), words.shown(value(best, "accuracy_1d"))
    ends = [words.shown(end) for end in best.interval.get("accuracy_1d", ())]
    chart = Chart(
        axis(WORDS["params"].label, [*params.tolist(), at[0]], is_log=True),
        error_axis(f"{words.label}, log of error", [*accuracy.tolist(), at[1], *ends]),
        "Measured networks of the table, and the found network among them",
        360,
    )
    nearest = set(near.nearest.tolist())
    for row in shown_rows(len(params)):
        if row not in nearest:
            chart.dot((params[row], accuracy[row]), "others", 2.2, ids.get(row, ""))
    for row in near.nearest.tolist():
        chart.dot((params[row], accuracy[row]), "near", 5, ids.get(row, ""))
    if ends:
        chart.bar((at[0], ends[0]), (at[0], ends[1]), f"{colour(place)} thin")
    chart.dot(at, f"hollow {colour(place)}", 6)
    legend = [
        ("dot others", "measured networks"),
        ("dot near", f"the {len(nearest)} most similar to the found network"),
        (f"dot hollow {colour(place)}", f"{found}, predicted{' with its 90 % interval' if ends else ''}"),
    ]
    note = "The error (distance to 100 %) is on a logarithmic scale."
    return Picture("The found network among the measured networks", chart.markup(), legend, note)


def shown_rows(count: int) -> list[int]:
    """Return the numbers of the table rows that charts show: all rows, or `MOST_ROWS` evenly chosen ones."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS)).round().astype(int)).tolist() if count else []
