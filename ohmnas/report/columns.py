"""Quantities in the tables of a report, and their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, Final

from ohmnas.report import charts
from ohmnas.report.page import Cell, number_cell
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.objective import Ratio
from ohmnas.search.quantity_words import WORDS

RATIO: Final = Ratio().name
"""Name, in results, of the objective that is the ratio of accuracy to standard deviation."""
LIMITS: Final = {
    "max_params": ("params", "at most"),
    "min_params": ("params", "at least"),
    "max_macs": ("macs", "at most"),
    "max_size": ("size", "at most"),
    "max_memory": ("memory", "at most"),
    "max_tiles": ("tiles", "at most"),
    "max_cells": ("cells", "at most"),
    "max_energy": ("energy", "at most"),
    "max_latency": ("latency", "at most"),
    "max_avm": ("avm", "at most"),
    "max_std": ("accuracy_1d_std", "at most"),
    "min_accuracy": ("accuracy_1d", "at least"),
}
"""Limit in `SearchResult.constraints` -> its quantity, and its direction in words."""


def always_shown(one: Subject) -> tuple[str, ...]:
    """Return the quantities in every table of networks."""
    return (*(target.name for target in one.targets), "params", "macs")


def columns_of(one: Subject, asked: Sequence[str]) -> list[str]:
    """Return the quantities of a table: the default ones, further predictions, and those asked for."""
    always = always_shown(one)
    further = [name for name in one.result.best.predicted if name not in always]
    costs = [name for name in asked if name not in always and name in WORDS and name not in further]
    return [*always[:3], *further, *always[3:], *costs]


def shared_columns(subjects: Sequence[Subject]) -> list[str]:
    """Return the quantities of a table that compares results."""
    asked = dict.fromkeys(name for one in subjects for name in asked_quantities(one))
    return columns_of(subjects[0], list(asked))


def asked_quantities(one: Subject) -> list[str]:
    """Return the quantities of a result's front, limits and soft limits.

    Quantities of ``--at-least`` and ``--at-most`` are predictions, which `columns_of` adds anyway.
    """
    limits = [quantity for limit, (quantity, _) in LIMITS.items() if one.result.constraints.get(limit) is not None]
    soft: Any = one.result.constraints.get("soft", {})
    return list(dict.fromkeys([*one.result.pareto, *limits, *soft]))


def cells_of(candidate: Candidate, columns: Sequence[str], unknown: str = "-") -> list[Cell]:
    """Return the cells of a network; `unknown` stands for an unknown quantity."""
    cells = []
    for name in columns:
        amount = charts.value(candidate, name)
        cells.append(number_cell(unknown if isnan(amount) else WORDS[name].number(amount), amount))
    return cells


def ratio_of(values: Mapping[str, float]) -> float:
    """Return the 1-day accuracy divided by its standard deviation; NaN if one is unknown or the latter is 0."""
    accuracy, std = values.get("accuracy_1d", nan), values.get("accuracy_1d_std", nan)
    return accuracy / std if std > 0.0 else nan


def ratio_cell(values: Mapping[str, float], unknown: str = "-") -> Cell:
    """Return the cell of `ratio_of`."""
    ratio = ratio_of(values)
    return number_cell(unknown if isnan(ratio) else f"{ratio:.0f}", ratio)
