"""Pictures of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ohmnas.pictures import drawing, new_figure, save
from ohmnas.surrogate.heads import HEADS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 15
"""Number of features shown."""
LABELS = {"accuracy_1d": "1-day accuracy", "accuracy_1d_std": "std over chips", "avm": "AVM"}
LABELS_WITH_UNITS = {
    "accuracy_1d": "1-day accuracy (%)",
    "accuracy_1d_std": "std over chips (points)",
    "avm": "AVM (points)",
}
COLOURS = ("tab:blue", "tab:orange", "tab:green")


@drawing()
def plot_importance(frame: pd.DataFrame, path: Path) -> None:
    """Plot the permutation importance of features for each target, groups first.

    Raises:
        StorageError: the file cannot be written.
    """
    groups, single = frame[frame["group"] == "group"], frame[frame["group"] != "group"].head(SHOWN)
    shown = pd.concat([groups, single]).iloc[::-1]
    figure, panels = _figure(1, len(HEADS), (11.0, 0.28 * len(shown) + 1.2), sharey=True)
    for panel, head, colour in zip(panels[0], HEADS, COLOURS, strict=True):
        panel.barh(shown["feature"], shown[head], xerr=shown[f"{head}_error"], color=colour, height=0.7)
        panel.axvline(0.0, color="black", lw=0.6)
        panel.set(xlabel="permutation importance (loss of tau)", title=LABELS[head])
    save(figure, path)


@drawing()
def plot_effects(frame: pd.DataFrame, path: Path) -> None:
    """Plot the effect of each choice on each target with 90 % intervals, in percentage points.

    Raises:
        StorageError: the file cannot be written.
    """
    choices = list(dict.fromkeys(frame["choice"]))
    figure, panels = _figure(len(HEADS), len(choices), (1.9 * len(choices) + 1.0, 6.0), sharey="row", sharex="col")
    for column, choice in enumerate(choices):
        rows = frame[frame["choice"] == choice]
        at, ordered = np.arange(len(rows)), rows["label"].str[0].str.isdigit().all()
        for row, head in enumerate(HEADS):
            panel = panels[row][column]
            change, low, high = (100 * rows[f"{head}_{name}"].to_numpy() for name in ("change", "low", "high"))
            panel.axhline(0.0, color="black", lw=0.6)
            panel.vlines(at, low, high, color=COLOURS[row], alpha=0.35, lw=5)
            panel.plot(at, change, marker="o", ms=3.5, lw=0.8 if ordered else 0.0, color=COLOURS[row])
            panel.set_xticks(at, rows["label"], rotation=30 if rows["label"].str.len().max() > 4 else 0)
            panel.margins(x=0.15)
            if column == 0:
                panel.set_ylabel(f"{LABELS[head]}\n(change, points)")
        against = "" if (rows["label"] == rows["against"]).any() else f"\nagainst {rows['against'].iloc[0]}"
        panels[0][column].set_title(choice + against, fontsize="small")
    save(figure, path)


@drawing()
def plot_map(frame: pd.DataFrame, path: Path) -> None:
    """Plot the t-SNE map, coloured by parameters and by each label.

    Raises:
        StorageError: the file cannot be written.
    """
    figure, panels = _figure(1, 1 + len(HEADS), (15.0, 3.8), sharex=True, sharey=True)
    for panel, name in zip(panels[0], ("params", *HEADS), strict=True):
        values = frame[name] if name == "params" else 100 * frame[name]
        low, high = values.quantile((0.02, 0.98))
        limits: dict[str, Any] = {"norm": "log"} if name == "params" else {"vmin": low, "vmax": high}
        drawn = panel.scatter(frame["x"], frame["y"], s=8, c=values, cmap="viridis", **limits)
        panel.set(xticks=[], yticks=[], title="parameters" if name == "params" else LABELS_WITH_UNITS[name])
        figure.colorbar(drawn, ax=panel)
    save(figure, path)


def _figure(rows: int, columns: int, size: tuple[float, float], **shared: Any) -> tuple[Figure, list[list[Axes]]]:
    figure = new_figure(*size)
    return figure, figure.subplots(rows, columns, squeeze=False, **shared).tolist()
