"""Measured networks that are most similar to the found network."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ohmnas.report import charts
from ohmnas.report.columns import LIMITS, RATIO, always_shown
from ohmnas.report.page import Figure, Grid, Group, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.quantity_words import WORDS


def neighbours_section(one: Subject, groups: list[Group], several: bool, number: int) -> Section | None:
    """Return the section of one result and add its networks to `groups`; None without the table."""
    near = one.neighbours
    if near is None:
        return None
    quantities = always_shown(one)
    group = Group([WORDS[name].title for name in quantities])
    ids: dict[int, str] = {}
    shown = sorted({*charts.shown_rows(len(near.rows)), *near.nearest.tolist()})
    records = near.rows[["architecture", *quantities]].to_dict("records")
    for row in shown:
        ids[row] = f"t{number}-{row}"
        texts = [WORDS[name].text(records[row][name]) for name in quantities]
        group.networks[ids[row]] = ("measured", records[row]["architecture"], texts, [], "")  # type: ignore[index]
    groups.append(group)
    rows, networks = [], []
    for place, distance in zip(near.nearest.tolist(), near.distances.tolist(), strict=True):
        record = records[place]
        networks.append(ids[place])
        numbers = [number_cell(WORDS[name].number(record[name]), record[name]) for name in quantities]
        rows.append([number_cell(f"{distance:.1f}", distance), *numbers, text_cell(record["architecture"])])
    picture = charts.neighbours_chart(one, ids, number, one.found_name(several))
    nearest = float(near.distances[0])
    verdict = (
        "The table has similar networks."
        if nearest <= 2
        else "No measured network is similar: trust the prediction less."
    )
    text = [
        f"The surrogate was trained on {len(near.rows):,} measured networks. The one nearest to the found network is "
        f"{nearest:.1f} typical distances away. {verdict}"
    ]
    if within := _within(one):
        text.append(within)
    after = [
        "Distance: Euclidean, over standardised features of structure and noise; 1 is the median distance from "
        "a measured network to its nearest neighbour."
    ]
    figures = [Figure(picture.title, picture.svg, picture.legend, picture.note)] if picture else []
    title = f"Neighbours{f': {one.name}' if several else ''}"
    grid = Grid(
        ["distance", *(WORDS[name].label for name in quantities), "architecture"],
        rows,
        networks,
        is_sortable=True,
        is_stacked=True,
    )
    return Section(f"neighbours-{number}", title, text, figures, picks=True, grid=grid, after=after)


def measured_within(one: Subject) -> pd.DataFrame | None:
    """Return the rows of the table that meet the limits of a result.

    None without the table, with bounds on genes, or if a limit is on a quantity that the table lacks.
    """
    constraints = one.result.constraints
    rows = one.neighbours.rows if one.neighbours is not None else None
    asked = [(*LIMITS[limit], constraints[limit]) for limit in LIMITS if constraints.get(limit) is not None]
    for sense, group in (("at least", "least"), ("at most", "most")):
        asked += [(quantity, sense, bound) for quantity, bound in constraints.get(group, {}).items()]
    if rows is None or constraints.get("genes") or any(quantity not in rows for quantity, _, _ in asked):
        return None
    meets = np.ones(len(rows), dtype=bool)
    for quantity, sense, bound in asked:
        meets &= (rows[quantity] <= bound if sense == "at most" else rows[quantity] >= bound).to_numpy()
    return rows[meets]


def _within(one: Subject) -> str:
    """Describe the measured networks that meet the limits; empty if they are unknown."""
    rows = measured_within(one)
    if rows is None:
        return ""
    if not len(rows):
        return "According to the measurements, no network in the table meets all limits."
    best = rows.sort_values("accuracy_1d", ascending=False, kind="stable").iloc[0]
    words = WORDS["accuracy_1d"]
    count = len(rows)
    those = (
        f"{count:,} networks in the table meet all limits. The most accurate"
        if count > 1
        else "1 network in the table meets all limits. It"
    )
    text = (
        f"According to the measurements, {those} reaches "
        f"{words.text(float(best['accuracy_1d']))} with {int(best['params']):,} parameters: {best['architecture']}."
    )
    std = rows["accuracy_1d_std"].to_numpy()
    ratio = rows["accuracy_1d"].to_numpy() / np.where(std > 0.0, std, np.inf)
    if one.result.objective == RATIO and count > 1:
        first = rows.iloc[int(ratio.argmax())]
        text += (
            f" The one with the largest accuracy/std, {ratio.max():.0f}, reaches "
            f"{words.text(float(first['accuracy_1d']))} with {int(first['params']):,} parameters: "
            f"{first['architecture']}."
        )
    return f"{text} The best of many measurements is optimistic, too." if count > 1 else text
