"""SVG of a network to scale, and of the crossbar tiles that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from ohmnas.report.subject import LayerCost
from ohmnas.report.svg import element, fill
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Sketch, sketch, small_sketch

_FITS: Final = 820.0
"""Largest width that is scaled to the page. Wider drawings scroll, because their text would become too small."""
_TILE: Final = 34.0
"""Largest side of a drawn tile."""
_GAP: Final = 6.0
_PER_ROW: Final = 24
_MOST_TILES: Final = 480
"""Largest number of drawn tiles; for larger networks, only numbers are shown."""

SMALL_WIDTH: Final = 180
SMALL_HEIGHT: Final = 40


def network_svg(space: Space, candidate: Candidate) -> Markup:
    """Draw a network to scale."""
    layers = space.networks.layers(candidate.network[None])
    each = layers.count[0] * (layers.inputs[0] * layers.outputs[0] + layers.digital[0])
    drawn = sketch(space.stages(candidate.architecture), dict(enumerate(each.tolist())))
    kind = "network long" if drawn.width > _FITS else "network"
    return element(drawn.width, drawn.height, f"The network {candidate.architecture}, to scale", _parts(drawn), kind)


def _parts(drawn: Sketch) -> list[Markup]:
    parts = [
        fill(
            '<rect class="k-{0}" x="{1:.1f}" y="{2:.1f}" width="{3:.1f}" height="{4:.2f}"/>',
            box.kind,
            box.x,
            box.y,
            box.width,
            box.height,
        )
        for box in drawn.boxes
    ]
    parts += [
        fill(
            '<path class="arc" d="M{0:.1f} {1:.1f}Q{2:.1f} {3:.1f} {4:.1f} {1:.1f}"/>',
            arc.left,
            arc.y,
            (arc.left + arc.right) / 2,
            arc.y - 2 * arc.height,
            arc.right,
        )
        for arc in drawn.arcs
    ]
    parts += [
        fill(
            '<text class="middle {0}" x="{1:.1f}" y="{2:.1f}">{3}</text>',
            "strong" if label.strong else "tick",
            label.x,
            label.y,
            label.text,
        )
        for label in drawn.labels
    ]
    return parts


def small_network(space: Space, candidate: Candidate) -> list[tuple[int, int, int, int, int]]:
    """Return the boxes of a small drawing, for the page's script."""
    return small_sketch(space.stages(candidate.architecture), SMALL_WIDTH, SMALL_HEIGHT)


def tiles_svg(costs: Sequence[LayerCost], rows: int, columns: int) -> Markup | None:
    """Draw each crossbar tile as a square, with its used cells filled to scale; None if there are too many.

    Args:
        costs: layers of the network.
        rows: rows of a tile.
        columns: columns of a tile.
    """
    if sum(one.placement.tiles for one in costs) > _MOST_TILES:
        return None
    high, wide = (_TILE * side / max(rows, columns) for side in (rows, columns))
    parts: list[Markup] = []
    place = 0
    for one in costs:
        where = one.placement
        for _ in range(where.matrices):
            for of_rows in _split(where.inputs, where.parts[0]):
                for of_columns in _split(where.outputs, where.parts[1]):
                    x, y = (place % _PER_ROW) * (wide + _GAP) + 1, (place // _PER_ROW) * (high + _GAP) + 1
                    label = f"{one.name}: {of_rows} of {rows} rows, {of_columns} of {columns} columns"
                    parts.append(
                        fill(
                            '<g class="tile"><title>{0}</title><rect class="k-track" x="{1:.1f}" y="{2:.1f}" '
                            'width="{3:.1f}" height="{4:.1f}"/><rect class="k-share" x="{1:.1f}" y="{2:.1f}" '
                            'width="{5:.1f}" height="{6:.1f}"/></g>',
                            label,
                            x,
                            y,
                            wide,
                            high,
                            max(wide * of_columns / columns, 0.8),
                            max(high * of_rows / rows, 0.8),
                        )
                    )
                    place += 1
    width, lines = min(place, _PER_ROW) * (wide + _GAP), -(-place // _PER_ROW)
    return element(width, lines * (high + _GAP), f"{place} crossbar tiles and their used cells", parts, "tiles")


def _split(size: int, parts: int) -> list[int]:
    """Cut a side into parts that differ by at most one, as `ohmnas.analog.mapping` does."""
    base, extra = divmod(size, parts)
    return [base + (part < extra) for part in range(parts)]
