"""Pictures of a study."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ohmnas.pictures import EFFECT, INK, SCALE, drawing, new_figure, save, ticks_in_words
from ohmnas.search.quantity_words import WORDS
from ohmnas.targets import DEFAULT_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 15
"""Number of features shown."""
FEATURE_WORDS: Final = {
    "params": "parameters",
    "macs": "MACs",
    "outputs": "ADC conversions",
    "macs_per_output": "MACs per conversion",
    "narrowest": "narrowest layer on every path",
    "converter_noise": "noise of converters",
    "weight_noise": "noise of weights",
    "offset_noise": "noise of lasting weight errors",
    "noise_1d": "all noise after a day",
    "noise_1mo": "all noise after a month",
    "uneven_noise": "spread of weight errors over chips",
    "lasting_share": "share of noise that stays with a chip",
    "noise_block": "block in which noise arises",
    "bottleneck_share": "share of bottlenecks",
    "skip_share": "share of blocks with skip",
    "longest_run_without_skip": "longest run without skip",
    "mean_branches": "branches",
    "OC0": "stem channels",
    "KS0": "stem kernel",
    "M": "main blocks",
}
"""Feature without ``log2_`` -> words; other names are shown without underscores."""
GROUP_WORDS: Final = {
    "all of noise": "noise on the chip",
    "all of structure": "sizes and structure",
    "all of genes": "genes",
}
_GENES: Final = {"R": "residual blocks", "B": "branches", "CT": "block type", "WF": "widening", "skip": "skip"}


def feature_words(name: str) -> str:
    """Return the name of a feature, or of a group of features, in words."""
    plain = name.removeprefix("log2_")
    if plain in FEATURE_WORDS or name in GROUP_WORDS:
        return FEATURE_WORDS.get(plain) or GROUP_WORDS[name]
    if match := re.fullmatch(r"(R|B|CT|WF|skip)(\d)", plain):
        return f"{_GENES[match[1]]} of block {match[2]}"
    if match := re.fullmatch(r"channels(\d)", plain):
        return f"channels of block {match[1]}"
    return plain.replace("_", " ")


@drawing()
def plot_importance(frame: pd.DataFrame, path: Path) -> None:
    """Plot the permutation importance for each target: groups of features above, single features below.

    Raises:
        InvalidValueError: the suffix of the path is not one of `pictures.FORMATS`.
        StorageError: the file cannot be written.
    """
    parts = [frame[frame["group"] == "group"].iloc[::-1], frame[frame["group"] != "group"].head(SHOWN).iloc[::-1]]
    heights = [len(part) + 2.5 for part in parts]
    figure = new_figure(11.5, 0.26 * sum(heights) + 0.9)
    panels = figure.subplots(2, len(DEFAULT_NAMES), sharey="row", squeeze=False, gridspec_kw={"height_ratios": heights})
    for row, (part, what) in enumerate(zip(parts, ("groups of features", "single features"), strict=True)):
        for panel, target in zip(panels[row], DEFAULT_NAMES, strict=True):
            names = [feature_words(str(name)) for name in part["feature"]]
            panel.barh(names, part[target], xerr=part[f"{target}_error"], color=EFFECT, ecolor=INK, height=0.65)
            panel.axvline(0.0, color=INK, lw=0.6)
            panel.grid(visible=False, axis="y")
            panel.set(title=f"{WORDS[target].title}: {what}")
            if row:
                panel.set(xlabel="loss of tau when shuffled")
    save(figure, path)


@drawing()
def plot_effects(frame: pd.DataFrame, path: Path, title: str = "") -> None:
    """Plot the effect of each choice on each target with 90 % intervals, in points; each panel has its own scale.

    Raises:
        InvalidValueError: the suffix of the path is not one of `pictures.FORMATS`.
        StorageError: the file cannot be written.
    """
    choices = list(dict.fromkeys(frame["choice"]))
    figure = new_figure(2.15 * len(choices) + 0.8, 6.4)
    panels = figure.subplots(len(DEFAULT_NAMES), len(choices), sharex="col", squeeze=False)
    for column, choice in enumerate(choices):
        rows = frame[frame["choice"] == choice]
        at, ordered = np.arange(len(rows)), rows["label"].str[0].str.isdigit().all()
        for row, target in enumerate(DEFAULT_NAMES):
            panel = panels[row][column]
            change, low, high = (100 * rows[f"{target}_{name}"].to_numpy() for name in ("change", "low", "high"))
            panel.axhline(0.0, color=INK, lw=0.8)
            panel.vlines(at, low, high, color=EFFECT, alpha=0.3, lw=6)
            panel.plot(at, change, marker="o", ms=4.5, lw=1.2 if ordered else 0.0, color=EFFECT)
            panel.set_xticks(at, rows["label"], rotation=25 if rows["label"].str.len().max() > 4 else 0)
            panel.margins(x=0.15, y=0.15)
            _at_least_a_point(panel)
            if column == 0:
                panel.set_ylabel(f"{WORDS[target].title}\n(change, points)")
        against = "" if (rows["label"] == rows["against"]).any() else f"\nagainst {rows['against'].iloc[0]}"
        panels[0][column].set_title(choice + against, fontsize="small")
    figure.suptitle((title and f"{title}. ") + "Bars: 90 % intervals. Each panel has its own scale.")
    save(figure, path)


def _at_least_a_point(panel: Axes) -> None:
    """Make the axis at least one percentage point high: on a shorter axis, noise would look like an effect."""
    low, high = panel.get_ylim()
    if high - low < 1.0:
        middle = (low + high) / 2
        panel.set_ylim(middle - 0.5, middle + 0.5)


@drawing()
def plot_map(frame: pd.DataFrame, path: Path) -> None:
    """Plot noise over parameters, coloured by each label.

    Args:
        frame: from `study.space_map`.
        path: the picture.

    Raises:
        InvalidValueError: the suffix of the path is not one of `pictures.FORMATS`.
        StorageError: the file cannot be written.
    """
    figure = new_figure(13.0, 3.9)
    panels = figure.subplots(1, len(DEFAULT_NAMES), sharex=True, sharey=True)
    for panel, name in zip(panels, DEFAULT_NAMES, strict=True):
        values = WORDS[name].factor * frame[name]
        low, high = values.quantile((0.02, 0.98))
        limits: dict[str, Any] = {"vmin": low, "vmax": high}
        drawn = panel.scatter(frame["params"], frame["noise_1d"], s=11, lw=0, c=values, cmap=SCALE, **limits)
        panel.set(xscale="log", yscale="log", xlabel="parameters", title=WORDS[name].label)
        figure.colorbar(drawn, ax=panel, extend="both")
        ticks_in_words(panel, "x")
        ticks_in_words(panel, "y")
    panels[0].set_ylabel("noise over signal after a day (estimate)")
    save(figure, path)
