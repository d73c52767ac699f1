"""Limits of a search, and the values of the found network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import isclose, nan
from typing import Final

from ohmnas.report import charts
from ohmnas.report.columns import LIMITS, RATIO, ratio_cell
from ohmnas.report.command import values_of
from ohmnas.report.page import Cell, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.defaults import SLACK
from ohmnas.search.quantity_words import WORDS, in_words, listed
from ohmnas.targets import TARGETS

_SIZES: Final = {
    "max_params": "largest measured network",
    "max_macs": "most MACs of a measured network",
    "min_params": "smallest measured network",
}
"""Limits that keep a search within the range of the measured networks -> their origin."""
_GROUPS: Final = {"least": "--at-least", "most": "--at-most", "soft": "--soft"}
"""Group of limits in `SearchResult.constraints` -> flag that sets one of them."""
_OF_GENES: Final = ("--fix", "--range")


def limits_section(one: Subject, several: bool) -> Section:
    """Return the section of one result.

    Args:
        one: a result.
        several: True if the page shows several results.
    """
    result = one.result
    rows = [_maximised(one)] if result.objective == RATIO else []
    for limit, (quantity, sense) in LIMITS.items():
        bound = result.constraints.get(limit)
        if bound is not None and not (limit == "min_params" and not bound):
            rows.append(_row(one, limit, quantity, sense, bound))
    for name, bounds in result.constraints.get("genes", {}).items():
        asked = text_cell(" ".join(_of_name(one, _OF_GENES, name)))
        rows.append(
            [text_cell(f"gene {name}"), asked, text_cell(f"{bounds[0]} to {bounds[1]}"), text_cell(""), text_cell("")]
        )
    for sense, group in (("at least", "least"), ("at most", "most"), ("soft limit of", "soft")):
        for name, bound in result.constraints.get(group, {}).items():
            rows.append(_row(one, group, name, sense, bound))
    sure = result.constraints.get("confidence")
    text = [_summary(one), *([f"Limits on predictions hold with a probability of {sure:g}."] if sure else [])]
    grid = Grid(["quantity", "asked for", "applied limit", "found", "origin of the limit"], rows, is_stacked=True)
    anchor = f"asked-{one.anchor}" if several else "asked"
    return Section(anchor, f"Limits and values{f': {one.name}' if several else ''}", text, grid=grid)


def _maximised(one: Subject) -> list[Cell]:
    """Return the row of the ratio of accuracy to standard deviation."""
    asked = text_cell(" ".join(_of_name(one, ("--objective",), "ratio")))
    return [
        text_cell("accuracy/std"),
        asked,
        text_cell("highest on the front" if one.result.pareto else "maximised"),
        ratio_cell(one.result.best.predicted),
        text_cell(""),
    ]


def _row(one: Subject, limit: str, quantity: str, sense: str, bound: float) -> list[Cell]:
    words, found = WORDS[quantity], charts.value(one.result.best, quantity)
    asked = _asked(one, limit, quantity)
    return [
        text_cell(words.title),
        text_cell(" ".join(asked)),
        text_cell(f"{sense} {words.text(bound)}"),
        number_cell(words.text(found), found),
        text_cell(_origin(one, limit, quantity, bound, bool(asked))),
    ]


def _summary(one: Subject) -> str:
    """Describe the search in a few sentences."""
    result = one.result
    objective = in_words(result.objective)
    front = member = ""
    if result.pareto:
        front = f" and kept the Pareto front of {listed([WORDS[name].title for name in result.pareto])}"
        member = f" The found network is the member of the front with the highest {objective}."
    time = _duration(result.seconds)
    effort = (
        f"It used {result.evaluations:,} training runs and took {time} (seed\u00a0{result.seed})."
        if one.is_refined
        else f"It scored {result.evaluations:,} {result.space.members} in {time} "
        f"({result.strategy}, seed\u00a0{result.seed})."
    )
    return f"The {'refinement' if one.is_refined else 'search'} maximised {objective}{front}.{member} {effort}"


def _asked(one: Subject, limit: str, quantity: str) -> list[str]:
    """Return the flags of the command for this limit, as the user wrote them; empty if there are none."""
    if limit in _GROUPS:
        return _of_name(one, (_GROUPS[limit],), quantity)
    flag = "--floor" if limit == "min_accuracy" else f"--{limit.replace('_', '-')}"
    return [f"{flag} {value}{_in_points(value, quantity)}" for value in values_of(one.result.command, flag)[-1:]]


def _in_points(value: str, quantity: str) -> str:
    """Return a fraction from a command in points, in brackets; empty for accuracies and other values."""
    if quantity not in TARGETS or TARGETS[quantity].larger_is_better:
        return ""
    with suppress(ValueError):
        return f" ({WORDS[quantity].text(float(value))})"
    return ""


def _of_name(one: Subject, flags: Sequence[str], name: str) -> list[str]:
    """Return the flags of the command whose values begin with this name, such as ``--range M=1:3``."""
    return [
        f"{flag} {value}"
        for flag in flags
        for value in values_of(one.result.command, flag)
        if value.partition("=")[0] == name
    ]


def _origin(one: Subject, limit: str, quantity: str, bound: float, is_asked: bool) -> str:
    """Return the origin of a limit; empty if it is unknown."""
    result = one.result
    name = result.constraints.get("reference")
    for known in result.references:
        value = known.predicted.get(quantity, nan)
        if known.name == name and isclose(value, bound, rel_tol=0.0, abs_tol=2 * SLACK):
            stricter = ", stricter than the command" if is_asked else ""
            return f"{'expected' if one.is_refined else 'predicted'} for {name}{stricter}"
    if limit in _SIZES and bound == result.provenance.get("seen", {}).get(limit):
        return f"{_SIZES[limit]}{', stricter than the command' if is_asked else ''}"
    if is_asked:
        return "the command"
    is_default = limit == "min_accuracy" and result.command
    return "default of --floor" if is_default else ""


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
