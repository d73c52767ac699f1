"""Page about a measured table."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from ohmnas.datasets.tables.summary import LABELS, choices, groups, learned, relations, spread
from ohmnas.datasets.tables.table import MeasuredTable, genomes
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import kind_of
from ohmnas.report.axes import axis
from ohmnas.report.charts import Picture, shown_rows
from ohmnas.report.drift import SECONDS, TARGETS_OVER_TIME
from ohmnas.report.over_time import time_axis
from ohmnas.report.page import Figure, Grid, Group, Section, number_cell, render, text_cell
from ohmnas.report.svg import Chart
from ohmnas.search.quantity_words import WORDS
from ohmnas.spaces.stages import small_sketch
from ohmnas.targets import DEFAULTS
from ohmnas.version import version

GROUPS: Final = 6
"""Number of colours for groups of networks."""
BEST: Final = 300
"""Largest number of rows in the table of the most accurate networks."""
_COLUMNS: Final = ("accuracy_1d", "accuracy_1d_std", "avm", "params", "macs")
_PAIRS: Final = (("accuracy_1d", "params"), ("accuracy_1d_std", "accuracy_1d"), ("avm", "accuracy_1d"))
_QUANTILES: Final = (0.05, 0.5, 0.95)
_DRAWING: Final = (180, 40)


def table_page(table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> str:
    """Return the page about a table.

    Args:
        table: the table.
        hardware: chip, or kind of chips such as ``varied-pcm``; None is the only chip, or ``pcm`` if there are several.
        fidelity: training fidelity; None is the only one, or the first of `DEFAULT_FIDELITIES` if there are several.

    Raises:
        InvalidValueError: the choice is ambiguous, no rows match, or the table has another variation than the AVM.
    """
    if table.targets != DEFAULTS:
        raise InvalidValueError(f"a report needs the AVM, but the table has only {table.targets[2].name}")
    above = learned(table, hardware, fidelity)
    rows = _rows(table, hardware, fidelity)
    task, chip, effort = (str(rows[name].iloc[0]) for name in ("task", "hardware", "fidelity"))
    chip = chip if rows["hardware"].nunique() == 1 else kind_of(chip)
    ids = {row: f"t{row}" for row in shown_rows(len(rows))}
    best = rows["accuracy_1d"].sort_values(ascending=False, kind="stable").index[:BEST].tolist()
    ids |= {row: f"t{row}" for row in best}
    networks = len(np.unique(genomes(rows), axis=0))
    title = f"{task} on {chip}: {networks:,} measured networks"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    subtitle = f"Table {table.source}, fidelity {effort}. Report of ohmnas {version()}, {today}."
    lead = [
        f"{len(above):,} of {len(rows):,} trainings are well above chance after a day. The most accurate one reaches "
        f"{WORDS['accuracy_1d'].text(rows['accuracy_1d'].max())}: {rows['architecture'][best[0]]}.",
    ]
    sections = [
        _networks(table, rows, ids, best),
        _over_time(rows, above),
        _by_choice(table, hardware, fidelity),
        _correlations(table, above),
        _kinds(table, hardware),
        _provenance(table),
    ]
    return render(title, subtitle, _facts(rows, above, networks), lead, sections, [_group(table, rows, ids)])


def _rows(table: MeasuredTable, hardware: str | None, fidelity: str | None) -> pd.DataFrame:
    """Return the measured rows of one chip, or kind of chips, with their architectures."""
    measured = table.measured
    kinds = measured["hardware"].map(kind_of)
    if hardware is not None and hardware not in set(measured["hardware"]) and (kinds == hardware).any():
        chosen = measured[kinds == hardware]
        rows = replace(table, frame=chosen).of_fidelity(fidelity)
    else:
        rows = table.select(hardware, fidelity)
    rows = rows.reset_index(drop=True)
    decoded = table.space.decode(genomes(rows))
    return rows.assign(architecture=[str(one) for one in decoded])


def _facts(rows: pd.DataFrame, above: pd.DataFrame, networks: int) -> list[tuple[str, str, str]]:
    found = [("measured networks", f"{networks:,}", f"{len(rows):,} trainings, {len(above):,} well above chance")]
    for name in LABELS:
        low, middle, high = (float(above[name].quantile(q)) if len(above) else float("nan") for q in _QUANTILES)
        words = WORDS[name]
        found.append(
            (
                words.title,
                words.text(middle),
                f"median above chance; 5 % to 95 %: {words.number(low)} to {words.number(high)}",
            )
        )
    low, high = rows["params"].min(), rows["params"].max()
    found.append(("parameters", f"{low:,.0f} to {high:,.0f}", ""))
    return found


def _group(table: MeasuredTable, rows: pd.DataFrame, ids: Mapping[int, str]) -> Group:
    group = Group([WORDS[name].title for name in _COLUMNS])
    drawn = [*ids]
    decoded = table.space.decode(genomes(rows.loc[drawn]))
    networks: dict[str, Any] = {}
    records = rows[["architecture", *_COLUMNS, "hardware"]].to_dict("records")
    for row, architecture in zip(drawn, decoded, strict=True):
        record = records[row]
        texts = [WORDS[name].text(record[name]) for name in _COLUMNS]
        boxes = small_sketch(table.space.stages(architecture), *_DRAWING)
        networks[ids[row]] = (f"measured on {record['hardware']}", record["architecture"], texts, boxes, "")
    return Group(group.labels, networks)


def _networks(table: MeasuredTable, rows: pd.DataFrame, ids: Mapping[int, str], best: Sequence[int]) -> Section:
    trait, names, places = _traits(table, rows)
    pictures = []
    shown = shown_rows(len(rows))
    for vertical, horizontal in _PAIRS:
        up, across = WORDS[vertical], WORDS[horizontal]
        x, y = (
            words.factor * rows[name].to_numpy(dtype=float) for words, name in ((across, horizontal), (up, vertical))
        )
        chart = Chart(
            axis(across.label, x.tolist(), across.is_log, 4),
            axis(up.label, y.tolist()),
            f"{up.title} over {across.title}",
            290,
        )
        for row in shown:
            chart.dot((x[row], y[row]), f"front g{places[row] % GROUPS}", 2.4, ids[row])
        pictures.append(Picture(f"{up.title} over {across.title}", chart.markup()))
    legend = [(f"dot g{place % GROUPS}", f"{trait.replace('_', ' ')}: {name}") for place, name in enumerate(names)]
    records = rows.to_dict("records")
    cells = [
        [
            *(number_cell(WORDS[name].number(records[row][name]), records[row][name]) for name in _COLUMNS),
            text_cell(records[row]["architecture"]),
        ]
        for row in best
    ]
    grid = Grid(
        [*(WORDS[name].label for name in _COLUMNS), "architecture"], cells, [ids[row] for row in best], True, True
    )
    text = [f"The table lists the {len(best):,} most accurate networks after a day."] if len(best) < len(rows) else []
    if len(shown) < len(rows):
        text.append(f"The charts show {len(shown):,} of {len(rows):,} networks, evenly chosen.")
    return Section("networks", "Networks", text, pictures=pictures, legend=legend, picks=True, grid=grid)


def _traits(table: MeasuredTable, rows: pd.DataFrame) -> tuple[str, list[str], list[int]]:
    """Return the first trait of the space, the names of its groups, and the index of each row's group."""
    trait = next(iter(table.space.trait_groups), "")
    if not trait:
        return "", [], [0] * len(rows)
    edges, names = table.space.trait_groups[trait]
    places = pd.cut(choices(table, rows)[trait], edges, labels=names).cat.codes
    return trait, list(names), [max(int(place), 0) for place in places]


def _over_time(rows: pd.DataFrame, above: pd.DataFrame) -> Section:
    columns = [*TARGETS_OVER_TIME.values()]
    times = list(SECONDS.values())
    shown = above if len(above) else rows
    low, middle, high = (100 * shown[columns].quantile(q).to_numpy() for q in _QUANTILES)
    best = 100 * shown[columns].to_numpy()[shown["accuracy_1d"].to_numpy().argmax()]
    y = axis("accuracy (%)", [*low, *high, *best])
    chart = Chart(time_axis(), y, "Accuracy over time since programming", 320)
    chart.band([*zip(times, low, strict=True)], [*zip(times, high, strict=True)], "others")
    for line, kind in ((middle, "median"), (best, "r0")):
        chart.line([*zip(times, line, strict=True)], kind)
        for at in zip(times, line, strict=True):
            chart.dot(at, kind, 3.5)
    legend = [
        ("line median", "median"),
        ("line r0", "most accurate after a day"),
        ("k-others", "5 % to 95 % of the networks"),
    ]
    text = ["Networks that are well above chance after a day." if len(above) else "All networks."]
    return Section("drift", "Drift", text, [Figure("Accuracy over time, measured", chart.markup(), legend)])


def _by_choice(table: MeasuredTable, hardware: str | None, fidelity: str | None) -> Section:
    grouped = groups(table, hardware, fidelity)
    rows = [
        [
            text_cell(f"{row['choice'].replace('_', ' ')}: {row['group']}"),
            number_cell(f"{row['rows']:,}", row["rows"]),
            number_cell(f"{100 * row['learned']:.0f}", row["learned"]),
            *(number_cell("-" if pd.isna(row[name]) else WORDS[name].number(row[name]), row[name]) for name in LABELS),
        ]
        for row in grouped.to_dict("records")
    ]
    titles = ["networks with", "number", "well above chance (%)", *(f"median {WORDS[name].label}" for name in LABELS)]
    text = ["Medians of the networks that are well above chance. Groups also differ in other choices."]
    return Section("choices", "Groups of networks", text, grid=Grid(titles, rows, is_sortable=True))


def _correlations(table: MeasuredTable, above: pd.DataFrame) -> Section:
    if len(above) < 3:
        return Section("correlations", "Rank correlations", ["Too few networks are well above chance."])
    related = relations(table, above)
    rows = [
        [
            text_cell(WORDS[str(name)].title if name in WORDS else str(name).replace("_", " ")),
            *(number_cell("-" if pd.isna(row[label]) else f"{row[label]:+.2f}", row[label]) for label in LABELS),
        ]
        for name, row in related.iterrows()
    ]
    text = ["Kendall's tau, over the networks that are well above chance."]
    grid = Grid(["", *(WORDS[name].title for name in LABELS)], rows)
    return Section("correlations", "Rank correlations", text, grid=grid)


def _kinds(table: MeasuredTable, hardware: str | None) -> Section:
    rows = []
    for row in spread(table, hardware).to_dict("records"):
        cells = []
        for name in LABELS:
            low, middle, high = (WORDS[name].number(row[f"{name}_{q}"]) for q in (5, 50, 95))
            cells.append(number_cell(f"{middle} ({low} to {high})", row[f"{name}_50"]))
        rows.append(
            [
                text_cell(str(row["hardware"])),
                text_cell(str(row["fidelity"])),
                number_cell(str(row["seed"]), row["seed"]),
                *(
                    number_cell(f"{count:,}", count)
                    for count in (row["rows"], row["given_up"] + row["stopped"], row["failed"])
                ),
                *cells,
            ]
        )
    titles = ["chip", "fidelity", "seed", "rows", "stopped early", "failed", *(WORDS[name].label for name in LABELS)]
    return Section(
        "chips",
        "Chips in this table",
        ["Medians, with 5 % and 95 % quantiles, of all measured rows."],
        grid=Grid(titles, rows),
    )


def _provenance(table: MeasuredTable) -> Section:
    card = table.card
    rows = [
        [text_cell(name), text_cell(_words(card[key]))]
        for key, name in (
            ("task", "task"),
            ("input_shape", "images"),
            ("classes", "classes"),
            ("space", "space"),
            ("date", "date"),
            ("rows", "rows"),
            ("architectures", "architectures"),
            ("sha256", "SHA-256"),
            ("hours_of_one_core", "hours of one core"),
            ("hours_of_one_gpu_worker", "hours of one GPU worker"),
            ("protocol", "protocol"),
        )
        if key in card
    ]
    rows += [
        [text_cell(f"software: {key}"), text_cell(_words(value))]
        for key, value in _mapping(card.get("software")).items()
    ]
    commands = card.get("reproduce", [])
    lines = "\n".join(str(line) for line in commands) if isinstance(commands, list) else ""
    return Section("provenance", "Provenance", grid=Grid(["", ""], rows), command=lines)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if type(value) is int else str(value)
