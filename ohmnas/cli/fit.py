"""`ohmnas fit`: train a surrogate on a measured table and save it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from shlex import quote

from ohmnas.cli import render
from ohmnas.cli.found import warn_if_few
from ohmnas.cli.source import learning_set, source_table
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.surrogate.fit.transfer import source_of
from ohmnas.surrogate.model_file import file_of, read_header
from ohmnas.surrogate.surrogate import Surrogate


def run(arguments: argparse.Namespace) -> None:
    """Fit a surrogate to the table, save it and print a summary."""
    began = time.perf_counter()
    path = file_of(arguments.out)
    replaces = _replaces(path)
    table = source_table(arguments.table, arguments)
    data = learning_set(table, arguments)
    if arguments.co_design and arguments.start_from is not None:
        raise InvalidValueError(
            "--start-from works for one new chip, and --co-design for all chips of a table: use only one of them"
        )
    others = None if arguments.start_from is None else source_of(read_table(arguments.start_from), data, arguments.seed)
    what = "designs" if arguments.co_design else "architectures"
    with render.meter("training", None, show=not arguments.json) as meter:
        meter.begin(0, f"{len(data.population):,} {what} of {arguments.table}")
        surrogate = Surrogate.learn(data, data.others, source=others, seed=arguments.seed, margin=arguments.margin)
    model = surrogate.model_
    model.save(path)
    if replaces:
        render.notice(f"note: replaced the previous surrogate in {path}")
    seconds = time.perf_counter() - began
    learned = dict(model.provenance)
    warn_if_few(learned, arguments.table, arguments.co_design)
    sources = [] if others is None else list(others.sources)
    if arguments.json:
        render.machine({"out": str(path), "seconds": seconds, "started_from": sources, **learned})
    else:
        render.line(
            f"trained on {learned['rows']} {what} of {arguments.table} ({learned['task']} on {learned['hardware']}, "
            f"fidelity {learned['fidelity']}) in {seconds:.1f} s; saved: {path}"
        )
        if sources:
            render.line(f"source models: {', '.join(sources)}")
        words = " --co-design" if arguments.co_design else ""
        words += f" --hardware {quote(learned['hardware'])}" if arguments.hardware else ""
        words += f" --fidelity {quote(learned['fidelity'])}" if arguments.fidelity else ""
        if not sources:  # `score` does not use source models
            render.line(f"check its quality: ohmnas score --table {quote(arguments.table)}{words}")


def _replaces(path: Path) -> bool:
    """Return True if the file is a surrogate, which may be replaced; False if there is no file.

    Raises:
        InvalidValueError: the file is not a surrogate of this version; data sets of images are ``.npz`` files too.
    """
    if not path.exists():
        return False
    try:
        read_header(path)
    except BrokenFileError as error:
        raise InvalidValueError(
            f"{path} exists and is not a surrogate of this version of ohmnas: choose another --out"
        ) from error
    return True
