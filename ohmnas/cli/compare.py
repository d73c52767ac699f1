"""`ohmnas compare`: several stored results side by side."""

from __future__ import annotations

import argparse
from math import isnan

from ohmnas.cli import render
from ohmnas.report.charts import value
from ohmnas.report.drift import SECONDS, TIME_NAMES
from ohmnas.report.results import as_json, shared_columns
from ohmnas.report.subject import read_subjects
from ohmnas.search.quantity_words import WORDS


def run(arguments: argparse.Namespace) -> None:
    """Print one row per result and, where it was measured, a second one."""
    subjects = read_subjects(arguments.results, arguments.surrogate)
    columns = shared_columns(subjects)
    if arguments.json:
        render.machine(
            {one.name: {"result": str(one.path), "best": one.result.best.to_dict(), **as_json(one)} for one in subjects}
        )
        return
    rows = []
    for one in subjects:
        values = [value(one.result.best, name) for name in columns]
        rows.append([f"{one.name} predicted", *_texts(columns, values)])
        network = one.measured_best
        if network is not None:
            rows.append([f"{one.name} measured", *_texts(columns, [network.mean(name) for name in columns])])
    render.table(["", *(WORDS[name].label for name in columns)], rows)
    drifts = [(one.name, one.drift["found"]) for one in subjects if "found" in one.drift]
    if drifts:
        lines = [[name, *(f"{100 * mean:.2f}" for mean in drift.values)] for name, drift in drifts]
        render.table(["predicted accuracy (%) after", *(TIME_NAMES[time] for time in SECONDS)], lines)
    for one in subjects:
        on = f", on {one.result.best.chip}" if one.result.best.chip else ""
        render.line(f"{one.name}: {one.result.best.architecture}{on}")
    tasks = {(str(one.result.provenance.get("task")), str(one.result.provenance.get("hardware"))) for one in subjects}
    if len(tasks) > 1:
        render.line("these results are for different tasks or chips: their numbers are not comparable")


def _texts(columns: list[str], values: list[float] | list[float | None]) -> list[str]:
    return [
        "-" if number is None or isnan(number) else WORDS[name].number(number)
        for name, number in zip(columns, values, strict=True)
    ]
