"""Measured networks that are most like the found one."""

from __future__ import annotations

from ohmnas.report import charts
from ohmnas.report.columns import always_shown
from ohmnas.report.page import Figure, Grid, Group, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.quantity_words import WORDS


def neighbours_section(one: Subject, groups: list[Group], several: bool, number: int) -> Section | None:
    """Return the section of one result, and add its networks to the groups; None without the table."""
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
    picture = charts.neighbours_chart(one, ids)
    nearest = float(near.distances[0])
    verdict = (
        "The table has networks like it."
        if nearest <= 2
        else "It is unlike all measured networks: trust its prediction less."
    )
    text = [
        f"The surrogate was trained on {len(near.rows):,} measured networks. The one nearest to the found network is "
        f"{nearest:.1f} typical distances away. {verdict}"
    ]
    after = [
        "Distance: Euclidean, over standardised features of structure and noise; 1 is the median distance of a "
        "measured network to its nearest one."
    ]
    figures = [Figure(picture.title, picture.svg, picture.legend)] if picture else []
    title = f"Neighbours{f': {one.name}' if several else ''}"
    grid = Grid(["distance", *(WORDS[name].label for name in quantities), "architecture"], rows, networks, True)
    return Section(f"neighbours-{number}", title, text, figures, picks=True, grid=grid, after=after)
