"""Plots of a measured table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from ohmnas.datasets.tables.summary import choices
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.hardware import kind_of
from ohmnas.pictures import (
    FORMATS,
    FOUND,
    GROUP_MARKS,
    GROUPS,
    INK,
    OTHERS,
    SCALE,
    drawing,
    new_figure,
    save,
    ticks_in_words,
)
from ohmnas.search.quantity_words import WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = 3.6
"""Height of a panel in inches."""
BAND = (0.05, 0.5, 0.95)
_SECONDS: Final = {"1s": 1.0, "1h": 3600.0, "1d": 86400.0, "1mo": 2592000.0}
_TIMES: Final = {"1s": "1 second", "1h": "1 hour", "1d": "1 day", "1mo": "30 days"}


@drawing()
def plot_table(table: MeasuredTable, folder: str | Path, kind: str = FORMATS[0]) -> list[Path]:
    """Draw a figure for each kind of chip and fidelity.

    Its panels: accuracy against parameters, standard deviation and variation against accuracy, and accuracy over time.

    Args:
        table: table to plot.
        folder: output folder for ``<task>-<hardware>-<fidelity>``.
        kind: format, one of `pictures.FORMATS`.

    Returns:
        Path of each figure.

    Raises:
        InvalidValueError: the format is unknown.
        StorageError: a file cannot be written.
    """
    paths = []
    measured = table.measured
    for key, rows in measured.groupby([measured["hardware"].map(kind_of), "fidelity"]):
        hardware, fidelity = key
        figure = new_figure(2 * PANEL * 1.3, 2 * PANEL)
        panels = figure.subplots(2, 2)
        _accuracy_over_params(panels[0, 0], rows, table)
        _over_accuracy(panels[0, 1], rows, "accuracy_1d_std")
        _over_accuracy(panels[1, 0], rows, table.targets[2].name)
        _accuracy_over_time(panels[1, 1], rows)
        figure.suptitle(f"{table.card['task']} on {hardware}, fidelity {fidelity}: {len(rows):,} measured networks")
        path = Path(folder) / f"{table.card['task']}-{hardware}-{fidelity}.{kind}"
        save(figure, path)
        paths.append(path)
    return paths


def _accuracy_over_params(panel: Axes, rows: pd.DataFrame, table: MeasuredTable) -> None:
    """Plot networks; colours and marks show the first trait of the space."""
    trait = next(iter(table.space.trait_groups), "")
    edges, names = table.space.trait_groups.get(trait, ([], []))
    group = pd.cut(choices(table, rows)[trait], edges, labels=names) if trait else pd.Series("", index=rows.index)
    for place, name in enumerate(names or [""]):
        chosen = group == name
        panel.scatter(
            rows["params"][chosen],
            100 * rows["accuracy_1d"][chosen],
            s=9,
            alpha=0.65,
            lw=0,
            label=name,
            color=GROUPS[place % len(GROUPS)] if trait else OTHERS,
            marker=GROUP_MARKS[place % len(GROUP_MARKS)],
        )
    panel.set(xscale="log", xlabel=WORDS["params"].label, ylabel=WORDS["accuracy_1d"].label)
    ticks_in_words(panel, "x")
    if trait:
        panel.legend(
            title=trait.replace("_", " "),
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=len(names),
            markerscale=1.8,
        )


def _over_accuracy(panel: Axes, rows: pd.DataFrame, column: str) -> None:
    drawn = panel.scatter(
        100 * rows["accuracy_1d"], 100 * rows[column], s=9, alpha=0.7, lw=0, c=rows["params"], norm="log", cmap=SCALE
    )
    panel.set(xlabel=WORDS["accuracy_1d"].label, ylabel=WORDS[column].label)
    bar = panel.figure.colorbar(drawn, ax=panel, label=WORDS["params"].label)
    ticks_in_words(bar.ax, "y")


def _accuracy_over_time(panel: Axes, rows: pd.DataFrame) -> None:
    times = {name: words for name, words in _TIMES.items() if rows[f"accuracy_{name}"].notna().all()}
    columns = [f"accuracy_{name}" for name in times]
    seconds = [_SECONDS[name] for name in times]
    low, middle, high = (100 * rows[columns].quantile(q).to_numpy() for q in BAND)
    panel.fill_between(seconds, low, high, color=OTHERS, alpha=0.25, lw=0, label="5 % to 95 % of the networks")
    panel.plot(seconds, middle, marker="o", color=INK, label="median")
    best = 100 * rows[columns].to_numpy()[rows["accuracy_1d"].to_numpy().argmax()]
    panel.plot(seconds, best, marker="*", ms=9, color=FOUND, label="most accurate after a day")
    panel.set(xscale="log", xlabel="time since programming", ylabel="accuracy (%)")
    panel.set_xticks(seconds, [*times.values()])
    panel.minorticks_off()
    panel.legend(loc="lower left")
