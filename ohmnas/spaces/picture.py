"""Picture of a network to scale, for any space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.pictures import INK, LAYERS, OTHERS, new_figure
from ohmnas.spaces.stages import KIND_NAMES, LEGEND, sketch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ohmnas.spaces.space import Space

_PIXELS: float = 82.0
"""Units of a sketch per inch."""


def draw(space: Space, architecture: Any) -> Figure:
    """Draw each stage with its layers, resolution and share of the parameters, from left to right."""
    from matplotlib.patches import Patch, Rectangle

    layers = space.layers(space.encode([architecture]))
    each = layers.count[0] * (layers.inputs[0] * layers.outputs[0] + layers.digital[0])
    stages = space.stages(architecture)
    drawn = sketch(stages, dict(enumerate(each.tolist())))
    figure = new_figure(max(drawn.width / _PIXELS, 5.5) + 0.4, drawn.height / _PIXELS + 1.1)
    panel = figure.subplots()
    panel.set(xlim=(-4, drawn.width + 4), ylim=(drawn.height, 0), aspect="equal")
    panel.axis("off")
    for box in drawn.boxes:
        panel.add_patch(Rectangle((box.x, box.y), box.width, box.height, facecolor=LAYERS[box.kind], linewidth=0))
    for arc in drawn.arcs:
        x = np.linspace(-1.0, 1.0, 40)
        middle, half = (arc.left + arc.right) / 2, (arc.right - arc.left) / 2
        panel.plot(middle + half * x, arc.y - arc.height * (1 - x**2), color=OTHERS, lw=1.0)
    for label in drawn.labels:
        panel.text(
            label.x,
            label.y,
            label.text,
            ha="center",
            va="baseline",
            fontsize=8.5,
            color=INK,
            fontweight="bold" if label.strong else "normal",
        )
    kinds = [kind for kind in KIND_NAMES if any(box.kind == kind for box in drawn.boxes)]
    figure.legend(
        handles=[Patch(color=LAYERS[kind], label=KIND_NAMES[kind]) for kind in kinds],
        loc="outside lower center",
        ncols=len(kinds),
        title=LEGEND.replace(" Squares", "\nSquares"),
        title_fontsize=8,
    )
    return figure
