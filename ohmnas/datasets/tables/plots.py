"""Pictures of a measured table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.summary import choices
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.hardware import kind_of
from ohmnas.pictures import drawing, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL = 3.6
"""Side of a panel in inches."""
BAND = (0.05, 0.5, 0.95)


@drawing()
def plot_table(table: MeasuredTable, folder: str | Path) -> list[Path]:
    """Plot each kind of chip and fidelity: accuracy over parameters, std and AVM over accuracy, accuracy over time.

    Args:
        table: table to plot.
        folder: output folder for ``<task>-<hardware>-<fidelity>.png``.

    Raises:
        StorageError: a file cannot be written.
    """
    paths = []
    measured = table.measured
    for key, rows in measured.groupby([measured["hardware"].map(kind_of), "fidelity"]):
        hardware, fidelity = key
        figure = new_figure(2 * PANEL * 1.25, 2 * PANEL)
        panels = figure.subplots(2, 2)
        _accuracy_over_params(panels[0, 0], rows, table)
        _over_accuracy(panels[0, 1], rows, "accuracy_1d_std", "std over chips (points)")
        _over_accuracy(panels[1, 0], rows, "avm", "AVM: accuracy lost in a month (points)")
        _accuracy_over_time(panels[1, 1], rows)
        figure.suptitle(f"{table.card['task']} on {hardware}, fidelity {fidelity}: {len(rows)} measured networks")
        path = Path(folder) / f"{table.card['task']}-{hardware}-{fidelity}.png"
        save(figure, path)
        paths.append(path)
    return paths


def _accuracy_over_params(panel: Axes, rows: pd.DataFrame, table: MeasuredTable) -> None:
    """Plot networks, coloured by the first trait of the space."""
    trait = next(iter(table.space.trait_groups), "")
    edges, names = table.space.trait_groups.get(trait, ([], []))
    group = pd.cut(choices(table, rows)[trait], edges, labels=names) if trait else pd.Series("", index=rows.index)
    for name in names or [""]:
        chosen = group == name
        panel.scatter(rows["params"][chosen], 100 * rows["accuracy_1d"][chosen], s=7, alpha=0.6, label=name)
    panel.set(xscale="log", xlabel="parameters", ylabel="1-day accuracy (%)")
    if trait:
        panel.legend(
            title=trait, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(names), frameon=False
        )


def _over_accuracy(panel: Axes, rows: pd.DataFrame, column: str, label: str) -> None:
    drawn = panel.scatter(
        100 * rows["accuracy_1d"], 100 * rows[column], s=7, alpha=0.6, c=rows["params"], norm="log", cmap="viridis"
    )
    panel.set(xlabel="1-day accuracy (%)", ylabel=label)
    panel.figure.colorbar(drawn, ax=panel, label="parameters")


def _accuracy_over_time(panel: Axes, rows: pd.DataFrame) -> None:
    columns = [f"accuracy_{name}" for name in schema.TIMES]
    low, middle, high = (100 * rows[columns].quantile(q).to_numpy() for q in BAND)
    panel.fill_between(schema.TIMES, low, high, alpha=0.25, label="5 % to 95 % of the networks")
    panel.plot(schema.TIMES, middle, marker="o", label="median")
    best = 100 * rows[columns].to_numpy()[rows["accuracy_1d"].to_numpy().argmax()]
    panel.plot(schema.TIMES, best, marker="o", ls="--", label="best after a day")
    panel.set(xlabel="time since programming", ylabel="accuracy (%)")
    panel.legend(fontsize="small", loc="lower left")
