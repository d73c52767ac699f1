"""Costs of the found network by kind of layer, and its tiles."""

from __future__ import annotations

from ohmnas.report.network import tiles_svg
from ohmnas.report.page import Figure, Grid, Section, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.quantity_words import WORDS


def layers_section(one: Subject, several: bool) -> Section:
    """Return the section of one result; the chip sets the size of the tiles."""
    title = f"Layers and tiles{f': {one.name}' if several else ''}"
    costs, chip = one.layers, one.chip
    anchor = f"layers-{one.anchor}" if several else "layers"
    if not costs or chip is None:
        return Section(anchor, title, ["The result does not describe its chip, so its tiles are unknown."])
    rows_of, columns_of = int(chip["hw_tile_rows"]), int(chip["hw_tile_columns"])
    svg = tiles_svg(costs, rows_of, columns_of)
    used = sum(one.placement.matrices * one.placement.inputs * one.placement.outputs for one in costs)
    tiles = sum(one.placement.tiles for one in costs)
    energy, filled = sum(one.placement.energy for one in costs), used / (tiles * rows_of * columns_of)
    rows = []
    for each in costs:
        where = each.placement
        size = f"{where.matrices} x {where.inputs:,} x {where.outputs:,}"
        share = where.matrices * where.inputs * where.outputs / (where.tiles * rows_of * columns_of)
        rows.append(
            [
                text_cell(each.name),
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
        "number",
        "parameters",
        "MACs",
        "matrices x rows x columns",
        "tiles",
        "cells used (%)",
        "energy (µJ)",
    ]
    figures = (
        []
        if svg is None
        else [Figure("Tiles in the order of the table. The filled part of a tile shows its used cells.", svg)]
    )
    return Section(anchor, title, text, figures, grid=Grid(titles, rows, is_sortable=True))
