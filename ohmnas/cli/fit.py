"""`ohmnas fit`: learn a surrogate from a measured table and save it."""

from __future__ import annotations

import argparse
import time
from shlex import quote

from ohmnas.cli import render
from ohmnas.cli.source import learning_set, source_table
from ohmnas.datasets.table import read_table
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import Start, Surrogate
from ohmnas.surrogate.persist import HEADER, save


def run(arguments: argparse.Namespace) -> None:
    """Fit and save."""
    began = time.perf_counter()
    table = source_table(arguments.table, arguments)
    data = learning_set(table, arguments)
    if arguments.co_design and arguments.start_from is not None:
        raise InvalidValueError("--start-from is for one new chip, --co-design for all chips of a table: choose one")
    others = None if arguments.start_from is None else Start.of(read_table(arguments.start_from), data, arguments.seed)
    surrogate = Surrogate.learn(data, start=others, seed=arguments.seed, margin=arguments.margin)
    replaces = (arguments.out / HEADER).exists()
    save(surrogate, arguments.out)
    if replaces:
        render.notice(f"note: {arguments.out} replaced the surrogate that was there")
    seconds = time.perf_counter() - began
    learned = dict(surrogate.provenance_)
    sources = [] if others is None else list(others.sources)
    if arguments.json:
        render.machine({"out": str(arguments.out), "seconds": seconds, "started_from": sources, **learned})
    else:
        what = "designs" if arguments.co_design else "architectures"
        render.line(
            f"learned {learned['rows']} {what} of {arguments.table} ({learned['task']} on {learned['hardware']}, "
            f"fidelity {learned['fidelity']}) in {seconds:.1f} s; saved in {arguments.out}"
        )
        if sources:
            render.line(f"started from {', '.join(sources)}")
        words = " --co-design" if arguments.co_design else ""
        words += f" --hardware {quote(learned['hardware'])}" if arguments.hardware else ""
        words += f" --fidelity {quote(learned['fidelity'])}" if arguments.fidelity else ""
        if not sources:  # `score` knows no start
            render.line(f"how good it is: ohmnas score --table {quote(arguments.table)}{words}")
