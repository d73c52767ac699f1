"""Costs of the found network by kind of layer, and its tiles."""

from __future__ import annotations

from ohmnas.report import charts
from ohmnas.report.page import Figure, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.report.tiles import shades, tiles_picture
from ohmnas.search.quantity_words import WORDS


def layers_section(one: Subject, several: bool, place: int = 0) -> Section:
    """Return the section of one result. The chip sets the size of the tiles.

    Args:
        one: a result.
        several: True if the page shows several results.
        place: place of the result on the page, which sets its colour.
    """
    title = f"Layers and tiles{f': {one.name}' if several else ''}"
    costs, chip = one.layers, one.chip
    anchor = f"layers-{one.anchor}" if several else "layers"
    if not costs or chip is None:
        return Section(anchor, title, ["The result does not describe its chip, so its tiles are unknown."])
    rows_of, columns_of = int(chip["hw_tile_rows"]), int(chip["hw_tile_columns"])
    colour = charts.colour(place)
    picture = tiles_picture(costs, rows_of, columns_of, colour)
    used = sum(one.placement.matrices * one.placement.inputs * one.placement.outputs for one in costs)
    tiles = sum(one.placement.tiles for one in costs)
    energy, filled = sum(one.placement.energy for one in costs), used / (tiles * rows_of * columns_of)
    rows = []
    for each, shade in zip(costs, shades(costs), strict=True):
        where = each.placement
        size = f"{where.matrices} x {where.inputs:,} x {where.outputs:,}"
        share = where.matrices * where.inputs * where.outputs / (where.tiles * rows_of * columns_of)
        rows.append(
            [
                text_cell(each.name, f"dot {colour} {shade}"),
                number_cell(f"{where.count:,}", where.count),
                number_cell(f"{where.params:,}", where.params),
                number_cell(f"{where.macs:,}", where.macs),
                number_cell(size, where.matrices * where.inputs * where.outputs),
                number_cell(f"{where.tiles:,}", where.tiles),
                number_cell(f"{100 * share:.1f}" if share >= 0.0005 else "< 0.1", share),
                number_cell(f"{1e6 * where.energy:.4f}", where.energy),
            ]
        )
    text = [
        f"{tiles:,} tiles of {rows_of:,} x {columns_of:,} cells hold the weights; {100 * filled:.1f} % of their cells "
        f"are used. Energy per image: {WORDS['energy'].text(energy)}, a proxy that ranks networks."
    ]
    titles = [
        "layers",
        "number of layers",
        "parameters",
        "MACs",
        "matrices x rows x columns",
        "tiles",
        "cells used (%)",
        "energy (µJ)",
    ]
    legend = [(f"k-used {colour}", "used cells, in the shade of the stage"), ("k-unused", "unused cells")]
    note = "Used cells are drawn to scale. The colour fades from the first stage to the last, as in the table."
    figures = [] if picture is None else [Figure("Tiles of the chip, layer by layer", picture, legend, note)]
    return Section(anchor, title, text, figures, grid=Grid(titles, rows, is_sortable=True, is_stacked=True))
