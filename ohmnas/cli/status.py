"""`ohmnas campaign --status`: rows of a store, and time left for a plan."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import pandas as pd

from ohmnas.cli import render
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.repeats import best_measured
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import varied_as_one, worker_hours
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import VARIED, hardware
from ohmnas.hardware.chip_genes import GENE_TECHNOLOGIES

GROUP = list(schema.KEY_COLUMNS)

_Plan = tuple[str, set[tuple[int, ...]]]
"""Task and genomes."""


def run(arguments: argparse.Namespace) -> None:
    """Print the rows of a store by task, kind of chip, fidelity and seed.

    With a task and n, also print how much of the plan is done.

    Raises:
        UnknownNameError: the store does not exist.
        InvalidValueError: n is given without a task.
        BrokenFileError: the store is damaged.
    """
    if arguments.n is not None and arguments.task is None:
        raise InvalidValueError("--status with --n also needs --task")
    with Store(arguments.store, read_only=True) as store:
        frame = store.frame()
        wanted = _plan_keys(arguments, store)
    settings = arguments.vary_chip or 1
    kinds = [varied_as_one(frame[name]) if name == "hardware" else frame[name] for name in GROUP]
    groups = [
        _group(dict(zip(GROUP, names, strict=True)), rows, wanted, settings) for names, rows in frame.groupby(kinds)
    ]
    if arguments.json:
        render.machine({"store": str(arguments.store), "rows": len(frame), "groups": groups})
        return
    columns = ["task", "chip", "fidelity", "seed", "rows", "failed", "worker hours"]
    shown = [
        [g["task"], g["hardware"], g["fidelity"], str(g["seed"]), str(g["rows"]), str(g["failed"]), f"{g['hours']:.2f}"]
        for g in groups
    ]
    if any(group["stopped"] for group in groups):
        columns.append("stopped early")
        for cells, group in zip(shown, groups, strict=True):
            cells.append(str(group["stopped"]))
    if wanted is not None:
        columns += [f"done of {arguments.n}", "worker time left"]
        for cells, group in zip(shown, groups, strict=True):
            left = group.get("hours_left")
            cells += [str(group.get("done", "")), "" if left is None else render.duration(3600 * left)]
    render.table(columns, shown)
    render.line(f"{len(frame)} rows in {arguments.store}")
    if wanted is not None and not any("done" in group for group in groups):
        render.line(f"no row of the plan of {arguments.n:,} architectures for {wanted[0]} has been measured yet")


def _plan_keys(arguments: argparse.Namespace, store: Store) -> _Plan | None:
    """Return the genomes that are already chosen for measurement; None unless a task and n are given."""
    if arguments.task is None or arguments.n is None:
        return None
    chosen = task(arguments.task, arguments.data_dir).in_space(arguments.space)
    chosen = chosen.within(arguments.max_params, arguments.max_macs)
    if arguments.choose == "plan":
        return chosen.name, {
            tuple(genome) for genome in plan(chosen, arguments.n, arguments.plan_seed, arguments.plan).tolist()
        }
    chip = hardware((arguments.hardware or ["pcm"])[0])
    if arguments.choose == "best":
        best = best_measured(store, chosen, chip.name, arguments.fidelity, arguments.seed, arguments.n)
        return chosen.name, {tuple(genome) for genome in best.tolist()}
    noted = store.chosen((chosen.name, chip.name, arguments.fidelity, arguments.seed))[: arguments.n]
    return chosen.name, {tuple(genome) for genome in noted.tolist()}


def _group(names: dict[Any, Any], rows: pd.DataFrame, wanted: _Plan | None, settings: int) -> dict[str, Any]:
    hours = worker_hours(rows)
    group: dict[str, Any] = {
        **{name: value if isinstance(value, str) else int(value) for name, value in names.items()},
        "rows": len(rows),
        "failed": int((rows["status"] == schema.STATUS_FAILED).sum()),
        "stopped": int((rows["status"] == schema.STATUS_STOPPED).sum()),
        "hours": hours,
    }
    if wanted is not None and wanted[0] == group["task"]:
        rows_of = Counter(map(tuple, rows[list(schema.gene_columns(rows.columns))].to_numpy().tolist()))
        each = settings * len(GENE_TECHNOLOGIES) if group["hardware"] == VARIED else 1
        done = sum(rows_of[genome] >= each for genome in wanted[1])
        left = sum(each - min(rows_of[genome], each) for genome in wanted[1])
        group.update(done=done, hours_left=hours / len(rows) * left)
    return group
