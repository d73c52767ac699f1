"""Limits of a search, and the values of the found network."""

from __future__ import annotations

from math import isclose, nan
from typing import Final

from ohmnas.report import charts
from ohmnas.report.columns import LIMITS
from ohmnas.report.page import Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.defaults import SLACK
from ohmnas.search.quantity_words import WORDS

_SIZES: Final = {"max_params": "largest", "max_macs": "largest", "min_params": "smallest"}
"""Limits that keep a search within the range of the measured networks, and which network sets them."""


def limits_section(one: Subject) -> Section:
    """Return the section of one result."""
    result = one.result
    rows = []
    for limit, (quantity, sense) in LIMITS.items():
        bound = result.constraints.get(limit)
        if bound is None or (limit == "min_params" and not bound):
            continue
        words, found = WORDS[quantity], charts.value(result.best, quantity)
        rows.append(
            [
                text_cell(words.title),
                text_cell(f"{sense} {words.text(bound)}"),
                number_cell(words.text(found), found),
                text_cell(_origin(one, limit, quantity, bound)),
            ]
        )
    for name, bounds in result.constraints.get("genes", {}).items():
        rows.append([text_cell(f"gene {name}"), text_cell(f"{bounds[0]} to {bounds[1]}"), text_cell(""), text_cell("")])
    for sense, group in (("at least", "least"), ("at most", "most"), ("softly at most", "soft")):
        for name, bound in result.constraints.get(group, {}).items():
            words, found = WORDS[name], charts.value(result.best, name)
            rows.append(
                [
                    text_cell(words.title),
                    text_cell(f"{sense} {words.text(bound)}"),
                    number_cell(words.text(found), found),
                    text_cell(_origin(one, "", name, bound)),
                ]
            )
    sure = result.constraints.get("confidence")
    text = [
        f"The {'refinement' if one.is_refined else 'search'} maximised {charts.objective_words(result.objective)}"
        + (
            f" and kept the Pareto front of {', '.join(WORDS[name].title for name in result.pareto)}"
            if result.pareto
            else ""
        )
        + (
            f". It ran {result.evaluations:,} trainings in {_duration(result.seconds)} (seed\u00a0{result.seed})."
            if one.is_refined
            else f". It scored {result.evaluations:,} {result.space.members} in {_duration(result.seconds)} "
            f"({result.strategy}, seed\u00a0{result.seed})."
        ),
        *([f"Limits on predictions hold with a probability of {sure:g}."] if sure else []),
    ]
    return Section(
        "asked", "Limits and values", text, grid=Grid(["quantity", "limit", "found", "origin of the limit"], rows)
    )


def _origin(one: Subject, limit: str, quantity: str, bound: float) -> str:
    """Say where a limit comes from that the user did not set; empty for the user's own."""
    result = one.result
    if limit in _SIZES and bound == result.provenance.get("seen", {}).get(limit):
        return f"{_SIZES[limit]} measured network"
    name = result.constraints.get("reference")
    for known in result.references:
        value = known.predicted.get(quantity, nan)
        if known.name == name and isclose(value, bound, rel_tol=0.0, abs_tol=2 * SLACK):
            return f"{'expected' if one.is_refined else 'predicted'} for {name}"
    return ""


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
