"""`ohmnas report`: a page about search results or a measured table."""

from __future__ import annotations

import argparse

from ohmnas.cli import render
from ohmnas.cli.source import source_table
from ohmnas.errors import InvalidValueError
from ohmnas.files import write_atomically
from ohmnas.report import read_subjects, results_page, table_page


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    if arguments.results:
        if arguments.hardware or arguments.fidelity:
            raise InvalidValueError("--hardware and --fidelity select rows of a table: remove them, or the results")
        page = results_page(read_subjects(arguments.results, arguments.surrogate, arguments.table))
    elif arguments.table is not None:
        if arguments.surrogate is not None:
            raise InvalidValueError("--surrogate is for results: remove it, or pass results")
        table = source_table(arguments.table, arguments)
        page = table_page(table, arguments.hardware, arguments.fidelity)
    else:
        raise InvalidValueError("nothing to report: pass an output folder of ohmnas search, or --table NAME")
    write_atomically(arguments.out, page)
    size = len(page.encode())
    if arguments.json:
        render.machine({"report": str(arguments.out), "bytes": size})
    else:
        render.line(f"wrote {arguments.out} ({size / 1000:,.0f} kB; open it in a browser)")
