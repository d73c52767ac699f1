"""`ohmnas merge`: stores and tables of several machines into one store."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.cli.arguments import add_json
from ohmnas.datasets.merge import Merged, merge


def add_parser(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser("merge", help="merge stores and tables of several machines into one store")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="stores (.sqlite) and tables (names or .csv)")
    parser.add_argument("--store", type=Path, required=True, help="where all rows go; made if missing")
    parser.add_argument("--salvage", action="store_true", help="take what is readable of damaged stores")
    add_json(parser)
    parser.set_defaults(run=run)


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
