"""Pictures of a search: convergence, Pareto front and the found network."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.pictures import drawing, new_figure, save
from ohmnas.search.result import SearchResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = ("convergence.png", "architecture.png", "pareto.png")
AS_POINTS = {"accuracy_1d": "1-day accuracy (%)", "accuracy_1d_std": "std over chips (points)", "avm": "AVM (points)"}
"""Predictions -> axis label. Their fractions are drawn as per cent."""
AXES = {
    **AS_POINTS,
    "params": "parameters",
    "macs": "MACs per image",
    "size": "bytes",
    "memory": "activations in memory at once",
    "tiles": "tiles",
    "cells": "crossbar cells",
    "energy": "energy per image (J, proxy)",
    "latency": "latency per image (s, proxy)",
}
"""Quantity -> axis label."""
_LETTERS = 12
"""Characters of a title per inch."""
_BLUE, _ORANGE, _GREY = "#4c78a8", "#f58518", "#8c8c8c"


@drawing()
def plot_search(result: SearchResult, folder: str | Path) -> list[Path]:
    """Draw ``convergence.png``, ``architecture.png`` and, with a front, ``pareto.png``.

    Args:
        result: result of a search.
        folder: output folder.

    Returns:
        Their paths.

    Raises:
        StorageError: a file cannot be written.
    """
    figures = [_convergence(result), result.space.draw(result.best.architecture)]
    if result.front:
        figures.append(_front(result))
    paths = []
    for name, figure in zip(PICTURES, figures, strict=False):
        save(figure, Path(folder) / name)
        paths.append(Path(folder) / name)
    return paths


def _convergence(result: SearchResult) -> Figure:
    asked = np.array([entry["evaluations"] for entry in result.history])
    both = any("hypervolume" in entry for entry in result.history)
    figure = new_figure(14.0 if both else 10.8, 3.6)
    panels = figure.subplots(1, 4 if both else 3)
    of = {name: 100 * np.array([entry[name] for entry in result.history]) for name in AS_POINTS}
    objective = [entry["objective"] for entry in result.history]
    panels[0].step(asked, objective, where="post", color=_BLUE)
    panels[0].set_ylabel(_in_words(result.objective))
    panels[1].step(asked, of["accuracy_1d"], where="post", color=_BLUE)
    panels[1].set_ylabel(AS_POINTS["accuracy_1d"])
    panels[2].step(asked, of["accuracy_1d_std"], where="post", color=_ORANGE, label="std over chips")
    panels[2].step(asked, of["avm"], where="post", color=_GREY, label="AVM")
    panels[2].set_ylabel("points")
    panels[2].legend(fontsize="small", frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    if both:
        panels[3].step(asked, [entry.get("hypervolume", np.nan) for entry in result.history], where="post", color=_BLUE)
        panels[3].set_ylabel("hypervolume of the front")
    for panel in panels:
        panel.set(xlabel=f"{result.space.members} evaluated", xscale="log")
    figure.suptitle(f"{result.strategy}, seed {result.seed}: predictions of the best so far", fontsize="medium")
    return figure


def _in_words(objective: str) -> str:
    return objective.replace("accuracy_1d_std", "std over chips").replace("accuracy_1d", "1-day accuracy")


def _front(result: SearchResult) -> Figure:
    """Plot each pair of quantities, coloured by a third; references are numbered by size."""
    from matplotlib.patheffects import withStroke

    names = result.pareto
    several = len(names) * (len(names) - 1) // 2
    figure = new_figure(4.6 * several, 4.4)
    panels = np.atleast_1d(figure.subplots(1, several))
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    known = sorted(result.references, key=lambda reference: reference.params)
    for panel, (one, other) in zip(panels, pairs, strict=True):
        third = next((name for name in names if name not in {one, other}), None)
        colour: Any = _BLUE if third is None else _values(result, third)
        drawn = panel.scatter(
            _values(result, other), _values(result, one), c=colour, s=16, cmap=third and "viridis", norm=_norm(third)
        )
        if third is not None:
            figure.colorbar(drawn, ax=panel, label=AXES[third])
        for number, reference in enumerate(known, 1):
            values = (_value(reference, other), _value(reference, one))
            panel.scatter(*([value] for value in values), c=_ORANGE, marker="x", s=28, zorder=3)
            label = panel.annotate(
                str(number), values, (4, -9), textcoords="offset points", fontsize="small", color=_ORANGE, zorder=4
            )
            label.set_path_effects([withStroke(linewidth=2, foreground="white")])
        panel.scatter(_value(result.best, other), _value(result.best, one), c="black", marker="*", s=60)
        panel.set(xlabel=AXES[other], ylabel=AXES[one])
        for axis, name in (("x", other), ("y", one)):
            if name not in AS_POINTS:
                panel.set(**{f"{axis}scale": "log"})
    title = f"{len(result.front)} networks (predicted); star: found network"
    figure.suptitle(_wrapped(title, figure), fontsize="medium")
    if known:
        said = ", ".join(f"{number}\N{NO-BREAK SPACE}{reference.name}" for number, reference in enumerate(known, 1))
        figure.supxlabel(_wrapped(f"orange: {said}", figure), fontsize="small", color=_ORANGE)
    return figure


def _wrapped(text: str, figure: Figure) -> str:
    """Wrap text to the width of the figure."""
    return textwrap.fill(text, int(_LETTERS * figure.get_figwidth()), break_on_hyphens=False)


def _norm(name: str | None) -> Any:
    """Colour scale; logarithmic for costs."""
    return None if name is None or name in AS_POINTS else "log"


def _values(result: SearchResult, name: str) -> list[float]:
    return [_value(candidate, name) for candidate in result.front]


def _value(candidate: Any, name: str) -> float:
    if name in AS_POINTS:
        return 100 * float(candidate.predicted[name])
    return float(getattr(candidate, name) if name in {"params", "macs"} else candidate.costs[name])
