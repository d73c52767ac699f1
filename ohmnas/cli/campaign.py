"""`ohmnas campaign`: train, program, drift and measure architectures into a store."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.cli.arguments import add_json, positive, seed
from ohmnas.datasets import schema
from ohmnas.datasets.campaign import Campaign, plan
from ohmnas.datasets.fidelity import FIDELITIES, fidelity
from ohmnas.datasets.measure import VERIFICATION_SEEDS, require_training
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import read_table
from ohmnas.datasets.task import TASKS, task
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import PRESETS, hardware


def add_parser(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser("campaign", help="measure architectures; goes on where it stopped")
    parser.add_argument("--task", required=True, help=f"one of {', '.join(TASKS)}")
    parser.add_argument(
        "--n", type=positive, required=True, help="architectures; a larger n goes on from a smaller one"
    )
    parser.add_argument("--store", type=Path, required=True, help="SQLite file for the rows; made if missing")
    parser.add_argument("--hardware", default="pcm", help=f"chip: {', '.join(PRESETS)} or a TOML file (pcm)")
    parser.add_argument("--fidelity", default="paper", help=f"effort: one of {', '.join(FIDELITIES)} (paper)")
    parser.add_argument(
        "--seed", type=seed, default=0, help="of the measurements; another one repeats them independently (0)"
    )
    parser.add_argument("--plan-seed", type=seed, default=0, help="another one plans other architectures (0)")
    parser.add_argument("--jobs", type=positive, default=2, help="worker processes, one thread each (2)")
    parser.add_argument("--start-from", metavar="TABLE", help="take the rows of this table over first")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure what the store lacks."""
    chosen = task(arguments.task)
    chip, effort = hardware(arguments.hardware), fidelity(arguments.fidelity)
    if arguments.seed >= VERIFICATION_SEEDS:
        raise InvalidValueError(
            f"--seed is {arguments.seed}, but seeds from {VERIFICATION_SEEDS} on are for verification"
        )
    require_training()
    population = plan(chosen, arguments.n, arguments.plan_seed)
    campaign = Campaign(chosen, population, chip, effort, arguments.seed)
    table = read_table(arguments.start_from) if arguments.start_from else None
    if table is not None and table.card["task"] != chosen.name:
        raise InvalidValueError(
            f"table {arguments.start_from} is of the task {table.card['task']!r}, not {chosen.name!r}"
        )
    with Store(arguments.store) as store:
        if table is not None:
            taken = store.add(table.rows())
            render.notice(f"{taken} rows of {arguments.start_from} taken over into {arguments.store}")
        campaign.check(store)
        todo = len(campaign.open_rows(store))
        there = arguments.n - todo
        failed = 0
        start = time.perf_counter()
        try:
            with render.meter(f"{chosen.name} on {chip.name}", arguments.n, show=not arguments.json) as meter:
                meter.advance(there, "")
                done = 0

                def report(row: Row) -> None:
                    nonlocal done, failed
                    done += 1
                    failed += row["status"] == schema.STATUS_FAILED
                    pace = (time.perf_counter() - start) / done
                    left = render.duration(pace * (todo - done))
                    meter.advance(there + done, f"{3600 / pace:.0f} rows/h, {left} left, {failed} failed")

                campaign.run(store, arguments.jobs, report)
        except KeyboardInterrupt:
            stored = arguments.n - len(campaign.open_rows(store))
            render.notice(f"stopped: {stored} of {arguments.n} rows are stored; the same command goes on")
            raise
        rows = len(store.identities())
    seconds = time.perf_counter() - start
    if arguments.json:
        render.machine(
            {
                "store": str(arguments.store),
                "planned": arguments.n,
                "measured": todo,
                "failed": failed,
                "rows": rows,
                "seconds": seconds,
            }
        )
    else:
        render.line(
            f"{todo} rows measured in {render.duration(seconds)} ({failed} failed), {there} were there; "
            f"{arguments.store} holds {rows}"
        )
        render.line(f"next: ohmnas export-table --store {arguments.store} --out {chosen.name}.csv")
