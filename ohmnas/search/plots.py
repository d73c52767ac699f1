"""Pictures of a search: convergence, Pareto front and the found network."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ohmnas.pictures import FORMATS, FOUND, INK, OTHERS, REFERENCE, SCALE, drawing, new_figure, save, ticks_in_words
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS, in_words
from ohmnas.search.result import SearchResult
from ohmnas.targets import variation_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES: Final = ("convergence", "architecture", "pareto")
PICTURES: Final = tuple(f"{name}.{kind}" for name in NAMES for kind in FORMATS)
"""Files that `plot_search` can write."""
_LETTERS: Final = 11
"""Number of characters of a title per inch of the figure's width."""
_MOST_PAIRS: Final = 6
"""Largest number of panels in the picture of a front."""
_ROW: Final = 3
"""Number of panels per row."""
_NEAR: Final = (0.35, 0.055)
"""Width and height, as shares of the axes, within which names of references would overlap; they are moved apart."""


@drawing()
def plot_search(result: SearchResult, folder: str | Path, kind: str = FORMATS[0]) -> list[Path]:
    """Draw ``convergence``, ``architecture`` and, with a front, ``pareto``.

    Args:
        result: result of a search.
        folder: output folder.
        kind: format, one of `pictures.FORMATS`.

    Returns:
        Paths of the written files.

    Raises:
        InvalidValueError: the format is unknown.
        StorageError: a file cannot be written.
    """
    figures = [_convergence(result), _architecture(result)]
    if result.front:
        figures.append(_front(result))
    paths = []
    for name, figure in zip(NAMES, figures, strict=False):
        path = Path(folder) / f"{name}.{kind}"
        save(figure, path)
        paths.append(path)
    return paths


def _where(result: SearchResult) -> str:
    """Return the task and the chip of the found network."""
    task = result.provenance.get("task", "unknown task")
    return f"{task} on {result.best.chip or result.provenance.get('hardware', 'unknown chip')}"


def _architecture(result: SearchResult) -> Figure:
    """Draw the found network to scale, with its task, chip and accuracy."""
    best = result.best
    figure = result.space.draw(best.architecture)
    accuracy = best.predicted.get("accuracy_1d")
    accuracy_text = "" if accuracy is None else f", {WORDS['accuracy_1d'].text(accuracy)} after a day (predicted)"
    figure.suptitle(f"{_where(result)}: {best.params:,} parameters, {best.macs:,} MACs{accuracy_text}")
    return figure


def _convergence(result: SearchResult) -> Figure:
    """Plot the best architecture against the evaluations; the objective has its own panel unless it is the accuracy."""
    history = result.history
    evaluated = np.array([entry["evaluations"] for entry in history])
    variation = variation_of(history[0] if history else ()).name
    panels: list[tuple[str, list[tuple[str, str, float]]]] = []
    if result.objective != "accuracy_1d":
        panels.append((in_words(result.objective), [("objective", "", 1.0)]))
    panels.append((WORDS["accuracy_1d"].label, [("accuracy_1d", "", 100.0)]))
    panels.append(("points", [(name, WORDS[name].title, 100.0) for name in ("accuracy_1d_std", variation)]))
    if any("hypervolume" in entry for entry in history):
        panels.append(("hypervolume of the front", [("hypervolume", "", 1.0)]))
    figure = new_figure(3.5 * len(panels), 3.2)
    for panel, (title, lines) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for (name, label, factor), style in zip(lines, ("-", "--"), strict=False):
            values = [factor * entry.get(name, np.nan) for entry in history]
            panel.step(evaluated, values, where="post", color=FOUND if style == "-" else INK, ls=style, label=label)
        panel.set(xlabel=f"{result.space.members} scored", xscale="log", title=title)
        if len(lines) > 1:
            panel.legend()
        if len(evaluated):
            ticks_in_words(panel, "x")
    figure.suptitle(f"{_where(result)}: predictions of the best so far ({result.strategy}, seed {result.seed})")
    return figure


def _front(result: SearchResult) -> Figure:
    """Plot up to `_MOST_PAIRS` pairs of quantities, coloured by a third quantity, with named references."""
    names = result.pareto
    pairs = [*combinations(names, 2)][:_MOST_PAIRS]
    columns = min(len(pairs), _ROW)
    rows = -(-len(pairs) // columns)
    figure = new_figure(4.7 * columns, 4.0 * rows + 0.3)
    panels = np.atleast_1d(figure.subplots(rows, columns)).flatten().tolist()
    for panel, (vertical, horizontal) in zip(panels, pairs, strict=False):
        third = next((name for name in names if name not in {vertical, horizontal}), None)
        x, y = _values(result.front, horizontal), _values(result.front, vertical)
        colour: Any = OTHERS if third is None else _values(result.front, third)
        drawn = panel.scatter(x, y, c=colour, s=18, cmap=third and SCALE, norm=_norm(third), lw=0)
        if third is not None:
            bar = figure.colorbar(drawn, ax=panel, label=WORDS[third].label)
            if WORDS[third].is_log:
                ticks_in_words(bar.ax, "y")
        panel.set(xlabel=WORDS[horizontal].label, ylabel=WORDS[vertical].label)
        for axis, name in (("x", horizontal), ("y", vertical)):
            if WORDS[name].is_log:
                panel.set(**{f"{axis}scale": "log"})
        known = sorted(result.references, key=lambda one: -_values([one], vertical)[0])
        places = [(_values([one], horizontal)[0], _values([one], vertical)[0]) for one in known]
        for at in places:
            panel.scatter(*([value] for value in at), facecolors="white", edgecolors=REFERENCE, lw=1.6, s=36, zorder=3)
        best = (_values([result.best], name)[0] for name in (horizontal, vertical))
        panel.scatter(*([value] for value in best), c=FOUND, edgecolors="white", marker="*", s=220, zorder=4)
        for axis, name in (("x", horizontal), ("y", vertical)):
            if WORDS[name].is_log:
                ticks_in_words(panel, axis)
        _name(panel, [one.name for one in known], places)
    for panel in panels[len(pairs) :]:
        panel.axis("off")
    title = (
        f"{_where(result)}: Pareto front of {len(result.front)} networks (predicted); star: found, rings: references"
    )
    figure.suptitle(textwrap.fill(title, int(_LETTERS * figure.get_figwidth())))
    return figure


def _name(panel: Axes, names: Sequence[str], places: Sequence[tuple[float, float]]) -> None:
    """Write names beside points, moved down where they would overlap; the points are sorted from top to bottom."""
    from matplotlib.patheffects import withStroke

    panel.autoscale_view()  # else the limits may lack the last points
    to_axes = panel.transData + panel.transAxes.inverted()
    taken: list[tuple[float, float]] = []
    for name, at in zip(names, places, strict=True):
        x, y = to_axes.transform(at)
        shift = 0.0
        while any(abs(x - other[0]) < _NEAR[0] and abs(y - shift - other[1]) < _NEAR[1] for other in taken):
            shift += _NEAR[1] / 2
        taken.append((x, y - shift))
        is_left = x > 0.6
        text = panel.annotate(
            name,
            (x, y - shift),
            (-8 if is_left else 8, -3),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right" if is_left else "left",
            fontsize="small",
            color=REFERENCE,
            zorder=5,
        )
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _norm(name: str | None) -> Any:
    """Normalisation of the colour scale: logarithmic for quantities with logarithmic axes."""
    return "log" if name is not None and WORDS[name].is_log else None


def _values(candidates: Sequence[Candidate], name: str) -> list[float]:
    """Return a quantity of each candidate in the unit of its axis."""
    return [WORDS[name].shown(_value(candidate, name)) for candidate in candidates]


def _value(candidate: Candidate, name: str) -> float:
    if name in candidate.predicted:
        return candidate.predicted[name]
    return float(getattr(candidate, name) if name in {"params", "macs"} else candidate.costs[name])
