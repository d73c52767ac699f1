"""Sections for the Pareto front and the convergence of a search."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan

from ohmnas.errors import counted
from ohmnas.report import charts
from ohmnas.report.columns import RATIO, asked_quantities, cells_of, columns_of, ratio_cell, ratio_of
from ohmnas.report.page import Cell, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS, listed


def front_section(subjects: Sequence[Subject], ids: dict[int, str]) -> Section | None:
    """Return the section with the fronts of all results; None if none has a front."""
    pictures = charts.front_charts(subjects, ids)
    if not pictures:
        return None
    several = len(subjects) > 1
    with_front = [(place, one) for place, one in enumerate(subjects) if one.result.front]
    columns = columns_of(
        with_front[0][1],
        list(dict.fromkeys(name for _, one in with_front for name in asked_quantities(one))),
    )
    has_ratio = any(one.result.objective == RATIO for _, one in with_front)
    measured = {id(candidate): _measured(one, candidate) for _, one in with_front for candidate in one.result.front}
    has_measured = any(not isnan(accuracy) for accuracy in measured.values())
    rows, networks = [], []
    for place, one in with_front:
        for number, candidate in enumerate(one.result.front, 1):
            networks.append(ids[id(candidate)])
            is_best = candidate.genome == one.result.best.genome
            rows.append(
                [
                    *([text_cell(one.name, f"dot {charts.colour(place)}")] if several else []),
                    number_cell(f"{number}{' (found)' if is_best else ''}", number),
                    *([ratio_cell(candidate.predicted)] if has_ratio else []),
                    *cells_of(candidate, columns),
                    *([_measured_cell(measured[id(candidate)])] if has_measured else []),
                    text_cell(f"{candidate.architecture}" + (f" on {candidate.chip}" if candidate.chip else "")),
                ]
            )
    titles = [
        *(["result"] if several else []),
        "front",
        *(["accuracy / std"] if has_ratio else []),
        *(WORDS[name].label for name in columns),
        *([f"measured {WORDS['accuracy_1d'].label}"] if has_measured else []),
        "architecture",
    ]
    size = sum(len(one.result.front) for _, one in with_front)
    on_fronts = dict.fromkeys(name for _, one in with_front for name in one.result.pareto)
    quantities = listed([WORDS[name].title for name in on_fronts])
    text = [
        f"Pareto front{'s' if len(with_front) > 1 else ''} of {quantities}: {counted(size, 'network')} (predicted). "
        f"{'Large dots: found networks of all results' if several else 'Large dot: found network'}. Rings: reference "
        "networks."
    ]
    if has_measured:
        count = sum(not isnan(accuracy) for accuracy in measured.values())
        text.append(f"The surrogate's table has measured values for {count:,} of them.")
    return Section(
        "front",
        "Front",
        text,
        pictures=pictures,
        legend=_legend(subjects, "dot"),
        picks=True,
        grid=Grid(titles, rows, networks, True, size > 12),
    )


def _measured(one: Subject, candidate: Candidate) -> float:
    """Return the measured 1-day accuracy of a network in the surrogate's table; NaN if it is unknown."""
    return one.labels(candidate).get("accuracy_1d", nan)


def _measured_cell(accuracy: float) -> Cell:
    return number_cell("" if isnan(accuracy) else WORDS["accuracy_1d"].number(accuracy), accuracy)


def convergence_section(subjects: Sequence[Subject]) -> Section | None:
    """Return the section with the convergence of all results; None if no history has enough points."""
    pictures = charts.convergence_charts(subjects)
    if not pictures:
        return None
    best = "Predictions for the best network so far. Its accuracy may fall when another quantity improves."
    if any(one.result.pareto for one in subjects):
        best += (
            " Hypervolume: share of the space between the worst possible values and the front, on scales from 0 to 1."
        )
        best += " With a Pareto front, the best network may be off the front; the found network is on it."
        best += "".join(_off_front(one, len(subjects) > 1) for one in subjects if one.result.pareto)
    expected = (
        "Expected values of the best network after each round of training runs, and after the repeats at the end. New "
        "training runs correct them in either direction, and repeats remove some of the luck in the selection."
    )
    if all(one.is_refined for one in subjects):
        best = expected
    elif any(one.is_refined for one in subjects):
        best += f" For refinements: {expected[0].lower()}{expected[1:]}"
    return Section("convergence", "Convergence", [best], pictures=pictures, legend=_legend(subjects, "line"))


def _off_front(one: Subject, several: bool) -> str:
    """State the highest accuracy/std of a search if its found network has a lower one; otherwise empty."""
    seen = one.result.history[-1]["objective"] if one.result.history else nan
    found = ratio_of(one.result.best.predicted)
    if one.result.objective != RATIO or not seen > 1.005 * found:
        return ""
    whose = f" of {one.name}" if several else ""
    return f" The highest accuracy/std{whose} was {seen:.0f}; the found network has {found:.0f}."


def _legend(subjects: Sequence[Subject], mark: str) -> list[tuple[str, str]]:
    """Return the colours of several results; empty for one."""
    several = subjects if len(subjects) > 1 else []
    return [(f"{mark} {charts.colour(place)}", one.name) for place, one in enumerate(several)]
