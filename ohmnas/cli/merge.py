"""`ohmnas merge`: merge stores and tables from several machines into one store."""

from __future__ import annotations

import argparse

from ohmnas.cli import render
from ohmnas.datasets.campaign.merge import Merged, merge


def run(arguments: argparse.Namespace) -> None:
    """Merge one source after another."""
    done: list[Merged] = merge(arguments.store, arguments.sources, arguments.salvage)
    if arguments.json:
        values = [{"source": m.source, "rows": m.rows, "new": m.new, "other_results": m.other_results} for m in done]
        render.machine({"store": str(arguments.store), "sources": values})
        return
    render.table(
        ["source", "rows", "new", "already stored with another result"],
        [[m.source, str(m.rows), str(m.new), str(m.other_results)] for m in done],
    )
    render.line(f"added {sum(m.new for m in done)} rows to {arguments.store}")
    if arguments.salvage:
        for source in (m.source for m in done if not m.rows):
            render.warning(f"could not read any row of {source}")
        render.line(f"to measure the lost rows again, run the campaign's command with --store {arguments.store}")
