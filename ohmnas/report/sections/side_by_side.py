"""The found networks of several results, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from ohmnas.report import charts
from ohmnas.report.columns import RATIO, cells_of, ratio_cell, shared_columns
from ohmnas.report.page import Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.quantity_words import WORDS


def side_by_side_section(subjects: Sequence[Subject]) -> Section:
    """Return the section that compares predictions and measurements of all results."""
    columns = shared_columns(subjects)
    if all("tiles" in one.result.best.costs for one in subjects):
        columns += [name for name in ("tiles", "energy") if name not in columns]
    has_ratio = any(one.result.objective == RATIO for one in subjects)
    rows = []
    for place, one in enumerate(subjects):
        rows.append(
            [
                text_cell(one.name, f"dot {charts.colour(place)}"),
                text_cell("expected" if one.is_refined else "predicted"),
                *([ratio_cell(one.result.best.predicted)] if has_ratio else []),
                *cells_of(one.result.best, columns),
            ]
        )
        network = one.measured_best
        if network is not None:
            cells = []
            for name in columns:
                mean = network.mean(name)
                cells.append(
                    number_cell("", float("nan")) if mean is None else number_cell(WORDS[name].number(mean), mean)
                )
            means = {
                name: nan if (mean := network.mean(name)) is None else mean
                for name in ("accuracy_1d", "accuracy_1d_std")
            }
            ratio = [ratio_cell(means, "")] if has_ratio else []
            rows.append([text_cell(one.name, f"dot {charts.colour(place)}"), text_cell("measured"), *ratio, *cells])
    titles = ["result", "values", *(["accuracy / std"] if has_ratio else []), *(WORDS[name].label for name in columns)]
    return Section("results", "Results", grid=Grid(titles, rows, is_sortable=True, is_stacked=True))
