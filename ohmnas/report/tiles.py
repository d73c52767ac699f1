"""Picture of the crossbar tiles of a chip: the tiles of each layer, with their used cells to scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from ohmnas.costs.placement import Placement
from ohmnas.hardware.tiles import even_parts
from ohmnas.report.subject import LayerCost
from ohmnas.report.svg import fill

_MOST: Final = 480
"""Largest number of drawn tiles. For networks with more tiles, the page shows only numbers."""
_SIDES: Final = ((12, 88.0), (60, 52.0), (_MOST, 30.0))
"""Largest number of tiles -> longer side of each tile in pixels."""
_SHADES: Final = 7
"""Number of shades of a colour, from the first stage of a network to the last."""
_LEAST: Final = 3.0
"""Smallest side of the used part in pixels, to keep it visible."""


@dataclass(frozen=True, slots=True)
class Part:
    """The cells of one tile that a weight matrix uses."""

    rows: int
    columns: int


def parts_of(placement: Placement) -> Iterator[Part]:
    """Yield the used part of each tile of a layer, in order."""
    for _ in range(placement.matrices):
        for rows in even_parts(placement.inputs, placement.parts[0]):
            for columns in even_parts(placement.outputs, placement.parts[1]):
                yield Part(rows, columns)


def shades(layers: Sequence[LayerCost]) -> list[str]:
    """Return the CSS class of each layer for the shade of its stage, from the strongest to the faintest."""
    stages = list(dict.fromkeys(one.stage for one in layers))
    step = (_SHADES - 1) / max(len(stages) - 1, 1)
    return [f"s{round(step * stages.index(one.stage))}" for one in layers]


def tiles_picture(layers: Sequence[LayerCost], rows: int, columns: int, colour: str) -> Markup | None:
    """Draw the tiles of each layer beside its name; None if there are too many.

    A rectangle shows all cells of a tile. Its used cells are filled to scale, in the shade of the layer's stage.

    Args:
        layers: layers of the network.
        rows: rows of a tile.
        columns: columns of a tile.
        colour: CSS class for the colour of the result.
    """
    count = sum(one.placement.tiles for one in layers)
    if count > _MOST:
        return None
    scale = next(side for most, side in _SIDES if count <= most) / max(rows, columns)
    lines = []
    for one, shade in zip(layers, shades(layers), strict=True):
        squares = [_tile(part, f"{colour} {shade}", rows, columns, scale) for part in parts_of(one.placement)]
        used = f"{_count(one.placement.tiles)}, {_used(one.placement, rows, columns)}"
        name = fill('<dt>{0}<span class="remark">{1}</span></dt>', one.name, used)
        lines.append(Markup("<div>") + name + Markup("<dd>") + Markup().join(squares) + Markup("</dd></div>"))
    return Markup('<dl class="tiles">') + Markup().join(lines) + Markup("</dl>")


def _count(tiles: int) -> str:
    return "1 tile" if tiles == 1 else f"{tiles:,} tiles"


def _used(where: Placement, rows: int, columns: int) -> str:
    share = 100 * where.matrices * where.inputs * where.outputs / (where.tiles * rows * columns)
    amount = f"{share:.1f}" if share >= 0.05 else "less than 0.1"
    return f"{amount}\N{NO-BREAK SPACE}% of cells used"


def _tile(part: Part, kind: str, rows: int, columns: int, scale: float) -> Markup:
    return fill(
        '<svg class="tile" width="{0:.1f}" height="{1:.1f}" role="img"><title>{2}</title>'
        '<rect class="k-unused" width="100%" height="100%"/>'
        '<rect class="k-used {3}" width="{4:.1f}" height="{5:.1f}"/></svg>',
        scale * columns,
        scale * rows,
        f"{part.rows:,} of {rows:,} rows, {part.columns:,} of {columns:,} columns used",
        kind,
        max(scale * part.columns, _LEAST),
        max(scale * part.rows, _LEAST),
    )
