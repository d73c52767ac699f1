"""Pictures of a search: how it converged, its front, and the found network."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.pictures import drawing, new_figure, save
from ohmnas.search.result import SearchResult
from ohmnas.spaces.architecture import Architecture, MainBlock

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES = ("convergence.png", "architecture.png", "pareto.png")
AS_POINTS = {"accuracy_1d": "1-day accuracy (%)", "accuracy_1d_std": "std over chips (points)", "avm": "AVM (points)"}
"""Predictions, which are fractions, as people read them."""
AXES = {
    **AS_POINTS,
    "params": "parameters",
    "macs": "MACs of an image",
    "size": "bytes",
    "memory": "activations alive at once",
    "tiles": "tiles",
    "cells": "cells of the tiles",
    "energy": "energy of an image (J, proxy)",
    "latency": "latency of an image (s, proxy)",
}
"""Quantity -> what its axis says."""
_MOST_BRANCHES = 12
_LEGEND = (
    "one residual block of each main block: stripes are branches, their parts layers; blue is basic, orange "
    "bottleneck; an arc is a skip; /2 halves each side"
)
_LETTERS = 12
"""Of a title in an inch, so that it fits."""
_BLUE, _ORANGE, _GREY = "#4c78a8", "#f58518", "#8c8c8c"


@drawing()
def plot_search(result: SearchResult, folder: Path) -> list[Path]:
    """Draw ``convergence.png``, ``architecture.png`` and, where there is a front, ``pareto.png``.

    Args:
        result: of a search.
        folder: where they go.

    Returns:
        Their paths.

    Raises:
        StorageError: the disk refuses.
    """
    figures = [_convergence(result), _architecture(result.best.architecture)]
    if result.front:
        figures.append(_front(result))
    paths = []
    for name, figure in zip(PICTURES, figures, strict=False):
        save(figure, folder / name)
        paths.append(folder / name)
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
        panel.set(xlabel=f"{result.space.members} asked about", xscale="log")
    figure.suptitle(f"{result.strategy}, seed {result.seed}: what is predicted of the best so far", fontsize="medium")
    return figure


def _in_words(objective: str) -> str:
    return objective.replace("accuracy_1d_std", "std over chips").replace("accuracy_1d", "1-day accuracy")


def _front(result: SearchResult) -> Figure:
    """Each pair of quantities, coloured by the third where there is one; references are numbered by their size."""
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
    title = f"{len(result.front)} networks that no other beats, as predicted; the star is the found one"
    figure.suptitle(_wrapped(title, figure), fontsize="medium")
    if known:
        said = ", ".join(f"{number}\N{NO-BREAK SPACE}{reference.name}" for number, reference in enumerate(known, 1))
        figure.supxlabel(_wrapped(f"in orange: {said}", figure), fontsize="small", color=_ORANGE)
    return figure


def _wrapped(text: str, figure: Figure) -> str:
    """In lines that the figure has room for."""
    return textwrap.fill(text, int(_LETTERS * figure.get_figwidth()), break_on_hyphens=False)


def _norm(name: str | None) -> Any:
    """Of colours: costs differ by factors."""
    return None if name is None or name in AS_POINTS else "log"


def _values(result: SearchResult, name: str) -> list[float]:
    return [_value(candidate, name) for candidate in result.front]


def _value(candidate: Any, name: str) -> float:
    if name in AS_POINTS:
        return 100 * float(candidate.predicted[name])
    return float(getattr(candidate, name) if name in {"params", "macs"} else candidate.costs[name])


def _architecture(architecture: Architecture) -> Figure:
    """Stem, main blocks with their branches side by side, pooling and classes, from left to right."""
    blocks = architecture.blocks
    figure = new_figure(2.6 + 2.1 * len(blocks), 3.6)
    panel = figure.subplots()
    panel.set(xlim=(-0.6, 2.1 * len(blocks) + 1.9), ylim=(-2.1, 2.4))
    panel.axis("off")
    _box(panel, 0.0, 0.0, 0.7, 1.6, _GREY)
    panel.text(
        0.0,
        -1.25,
        f"stem\n{architecture.stem_kernel}x{architecture.stem_kernel}, {architecture.stem_channels}",
        ha="center",
        va="top",
        fontsize="small",
    )
    for place, (block, channels) in enumerate(zip(blocks, architecture.channels, strict=True)):
        centre = 1.7 + 2.1 * place
        panel.annotate("", (centre - 0.75, 0), (centre - 1.3, 0), arrowprops={"arrowstyle": "->", "color": _GREY})
        if place:
            panel.text(centre - 1.03, 0.12, "/2", ha="center", fontsize="x-small", color=_GREY)
        _draw_block(panel, block, channels, centre)
    end = 1.7 + 2.1 * len(blocks) - 0.75
    panel.annotate("", (end, 0), (end - 0.55, 0), arrowprops={"arrowstyle": "->", "color": _GREY})
    _box(panel, end + 0.3, 0.0, 0.5, 1.0, _GREY)
    panel.text(end + 0.3, -1.25, "pool,\nlinear", ha="center", va="top", fontsize="small")
    figure.suptitle(f"depth {architecture.depth}", fontsize="medium")
    figure.supxlabel(_LEGEND, fontsize="x-small", color=_GREY)
    return figure


def _draw_block(panel: Axes, block: MainBlock, channels: int, centre: float) -> None:
    """One residual block of a main block, its branches as stripes; how often it is repeated stands below."""
    colour = _BLUE if block.conv_type == "A" else _ORANGE
    height = 2.0 / _MOST_BRANCHES
    for branch in range(block.branches):
        middle = (branch - (block.branches - 1) / 2) * height
        layers = (0.5, 0.5) if block.conv_type == "A" else (0.28, 0.44, 0.28)
        left = centre - 0.65
        for share in layers:
            width = 1.3 * share
            _box(panel, left + width / 2, middle, width * 0.94, height * 0.8, colour)
            left += width
    if block.skip:
        top = block.branches / 2 * height + 0.12
        x = np.linspace(-0.72, 0.72, 40)
        panel.plot(centre + x, top + 0.45 * (1 - (x / 0.72) ** 2), color=_GREY, lw=1.4)
    kind = "basic" if block.conv_type == "A" else "bottleneck"
    times = f"{block.residual_blocks}x " if block.residual_blocks > 1 else ""
    branches = f"\n{block.branches} branches" if block.branches > 1 else ""
    panel.text(centre, -1.25, f"{times}{kind}\n{channels} channels{branches}", ha="center", va="top", fontsize="small")


def _box(panel: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    panel.add_patch(
        Rectangle((x - width / 2, y - height / 2), width, height, facecolor=colour, edgecolor="none", alpha=0.85)
    )
