"""Table of the paired differences of measured networks."""

from __future__ import annotations

from ohmnas.report.measured import Measurement
from ohmnas.report.page import Grid, number_cell, text_cell
from ohmnas.search.quantity_words import WORDS


def differences_grid(measured: Measurement) -> Grid:
    """Return one row for each pair of networks and each quantity, with 95 % intervals."""
    rows = []
    for each in measured.differences:
        words = WORDS[each.target]
        between = "-" if each.low is None or each.high is None else f"{100 * each.low:+.2f} to {100 * each.high:+.2f}"
        rows.append(
            [
                text_cell(f"{each.network} - {each.against}"),
                text_cell(words.title),
                number_cell(f"{100 * each.mean:+.2f}", each.mean),
                text_cell(between),
                number_cell("-" if each.p is None else f"{each.p:.3g}", float("nan") if each.p is None else each.p),
            ]
        )
    return Grid(["networks", "quantity", "difference (points)", "interval", "p"], rows)
