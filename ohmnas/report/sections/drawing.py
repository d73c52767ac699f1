"""The found networks, drawn to scale."""

from __future__ import annotations

from collections.abc import Sequence

from ohmnas.report.network import network_svg
from ohmnas.report.page import Figure, Section
from ohmnas.report.subject import Subject
from ohmnas.spaces.stages import KIND_NAMES, LEGEND


def network_section(subjects: Sequence[Subject]) -> Section:
    """Return the section with one picture for each result."""
    legend = [(f"k-{kind}", words) for kind, words in KIND_NAMES.items()]
    figures = []
    for place, one in enumerate(subjects):
        title = str(one.result.best.architecture)
        last = place == len(subjects) - 1
        figures.append(
            Figure(
                f"{title}" if len(subjects) == 1 else f"{one.name}: {title}",
                network_svg(one.result.space, one.result.best),
                legend if last else (),
                LEGEND if last else "",
            )
        )
    return Section("network", "The network" if len(subjects) == 1 else "The networks", figures=figures)
