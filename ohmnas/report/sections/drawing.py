"""The found networks, drawn to scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ohmnas.report.network import network_drawing
from ohmnas.report.page import Figure, Section
from ohmnas.report.subject import Subject
from ohmnas.spaces.stages import KIND_NAMES, Scale

_LEGEND: Final = (
    "Each layer is a bar; its length is proportional to the number of channels. Parallel bars: branches. Arcs: skip "
    "connections, without their convolutions. Squares: resolution, to scale. Grey bars: share of the parameters."
)


def network_section(subjects: Sequence[Subject]) -> Section:
    """Return the section with one picture for each result."""
    networks = [one.result.space.stages(one.result.best.architecture) for one in subjects]
    kinds = {bar.kind for stages in networks for stage in stages for block in stage.blocks for bar in block}
    legend = [(f"k-{kind}", words) for kind, words in KIND_NAMES.items() if kind in kinds]
    scale = Scale.of(*networks)
    figures = []
    for place, one in enumerate(subjects):
        title = str(one.result.best.architecture)
        last = place == len(subjects) - 1
        figures.append(
            Figure(
                f"{title}" if len(subjects) == 1 else f"{one.name}: {title}",
                network_drawing(one.result.space, one.result.best, scale),
                legend if last else (),
                f"{_LEGEND} {one.result.space.notation}".strip() if last else "",
            )
        )
    return Section("network", "The network" if len(subjects) == 1 else "The networks", figures=figures)
