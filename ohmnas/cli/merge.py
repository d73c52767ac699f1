"""`ohmnas merge`: stores and tables of several machines into one store."""

from __future__ import annotations

import argparse

from ohmnas.cli import render
from ohmnas.datasets.merge import Merged, merge


def run(arguments: argparse.Namespace) -> None:
    """Merge, source by source."""
    done: list[Merged] = merge(arguments.store, arguments.sources, arguments.salvage)
    if arguments.json:
        values = [{"source": m.source, "rows": m.rows, "new": m.new, "other_results": m.other_results} for m in done]
        render.machine({"store": str(arguments.store), "sources": values})
        return
    render.table(
        ["source", "rows", "new", "there with another result"],
        [[m.source, str(m.rows), str(m.new), str(m.other_results)] for m in done],
    )
    render.line(f"{sum(m.new for m in done)} new rows in {arguments.store}")
    if arguments.salvage:
        for nothing in (m.source for m in done if not m.rows):
            render.notice(f"warning: nothing of {nothing} could be read")
        render.line(
            f"what damaged stores have lost, the campaign's own command measures again with --store {arguments.store}"
        )
