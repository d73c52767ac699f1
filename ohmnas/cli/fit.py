"""`ohmnas fit`: learn a surrogate from a measured table and save it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from shlex import quote

from ohmnas.cli import render
from ohmnas.cli.found import say_if_few
from ohmnas.cli.source import learning_set, source_table
from ohmnas.datasets.table import read_table
from ohmnas.errors import InvalidValueError, StorageError
from ohmnas.surrogate import Start, Surrogate
from ohmnas.surrogate.persist import HEADER, is_of_a_surrogate, save


def run(arguments: argparse.Namespace) -> None:
    """Fit and save."""
    began = time.perf_counter()
    _check_folder(arguments.out)
    table = source_table(arguments.table, arguments)
    data = learning_set(table, arguments)
    if arguments.co_design and arguments.start_from is not None:
        raise InvalidValueError("--start-from is for one new chip, --co-design for all chips of a table: choose one")
    others = None if arguments.start_from is None else Start.of(read_table(arguments.start_from), data, arguments.seed)
    what = "designs" if arguments.co_design else "architectures"
    with render.meter("learning", None, show=not arguments.json) as meter:
        meter.begin(0, f"{len(data.population):,} {what} of {arguments.table}")
        surrogate = Surrogate.learn(data, start=others, seed=arguments.seed, margin=arguments.margin)
    replaces = (arguments.out / HEADER).exists()
    save(surrogate, arguments.out)
    if replaces:
        render.notice(f"note: {arguments.out} replaced the surrogate that was there")
    seconds = time.perf_counter() - began
    learned = dict(surrogate.provenance_)
    say_if_few(learned, arguments.table, arguments.co_design)
    sources = [] if others is None else list(others.sources)
    if arguments.json:
        render.machine({"out": str(arguments.out), "seconds": seconds, "started_from": sources, **learned})
    else:
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


def _check_folder(folder: Path) -> None:
    """A surrogate has a folder of its own, new or empty, or that of another surrogate, which it replaces.

    Raises:
        InvalidValueError: the folder holds something else.
        StorageError: nobody can tell.
    """
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise StorageError(f"cannot use {folder} for a surrogate: {error.strerror or error}") from error
    others = [name for name in names if not is_of_a_surrogate(name)]
    if others and HEADER not in names:
        raise InvalidValueError(f"{folder} holds something else, such as {others[0]}: give --out a folder of its own")
