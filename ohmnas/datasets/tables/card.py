"""Cards of tables: numbers of rows, settings, software, and the commands that reproduce the rows."""

from __future__ import annotations

import datetime
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd

from ohmnas.datasets.campaign.options import PLANS
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import typed
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.task import Task, task_word
from ohmnas.errors import BrokenFileError
from ohmnas.hardware import VARIED, has_name, is_varied, kind_of
from ohmnas.hardware.chip_genes import GENE_TECHNOLOGIES, MOST_SETTINGS, drawn_for, to_hardware
from ohmnas.hardware.settings import AFTER_TRAINING
from ohmnas.spaces.catalogue import kind_with, word_of

PROTOCOL = (
    "Each row is one network: built with freshly drawn weights, trained with the hardware's noise, clipping and "
    "converters, then programmed on `chips` simulated chips. Each chip is one programming event with its own noise and "
    "drift exponents, and the same chip is read 1 second, 1 hour, 1 day and 30 days after programming, with global "
    "drift compensation. Accuracies are fractions of the validation images, means over the chips; _std is their "
    "standard deviation (n-1) over the chips; avm is accuracy_1s - accuracy_1mo, chip by chip. accuracy_digital is the "
    "same trained network computed exactly. Devices are aihwkit's noise models; tiles, converters and compensation "
    "follow aihwkit's inference tile."
)


def make_card(frame: pd.DataFrame, task: Task, file: str | None = None) -> dict[str, Any]:
    """Return the card of a table's rows; `table.write_table` adds the number of rows and the checksum.

    Args:
        frame: `schema.columns`, with any index.
        task: task of the rows.
        file: name of the table's file, for commands; None is the task's name with ``.csv``.

    Raises:
        BrokenFileError: a column is missing, or a cell has the wrong type.
    """
    kind = kind_with(frame.columns)
    if kind is None:
        raise BrokenFileError(f"the rows of {task.name} do not have the genes of any space")
    frame = typed(frame, Path(f"{task.name}.csv"), kind.architecture_genes.names)
    task = task.in_space(word_of(kind.name))
    file = file or f"{task.name}.csv"
    chips, on_gpu = varied_as_one(frame["hardware"]), frame["precision"] == schema.GPU_PRECISION
    return {
        "schema": schema.SCHEMA_VERSION,
        "space": kind.name,
        "task": task.name,
        "input_shape": list(task.input_shape),
        "classes": task.classes,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "protocol": PROTOCOL,
        "status": {str(name): int(count) for name, count in frame["status"].value_counts().items()},
        "architectures": len(frame.drop_duplicates(list(kind.architecture_genes.names))),
        "hardware": sorted(set(frame["hardware"].map(kind_of))),
        "fidelity": sorted(set(frame["fidelity"])),
        "seeds": sorted({int(seed) for seed in frame["seed"]}),
        "software": {column: sorted(set(frame[column])) for column in schema.SOFTWARE_COLUMNS},
        "bounds": {
            "min_params": int(frame["params"].min()),
            "max_params": int(frame["params"].max()),
            "max_macs": int(frame["macs"].max()),
        },
        "hours_of_one_core": round(worker_hours(frame[~on_gpu]), 2),
        **({"hours_of_one_gpu_worker": round(worker_hours(frame[on_gpu]), 2)} if on_gpu.any() else {}),
        "reproduce": [
            *(c for key, rows in frame.groupby([chips, "fidelity", "seed"]) for c in _commands(task, key, rows, file)),
            f"ohmnas export-table --store {_store(task)}"
            + ("" if task.name in TASKS else f" --task {quote(task_word(task.name))}")
            + f" --out {quote(file)}",
        ],
    }


def _store(task: Task) -> str:
    """Return the name of the store in a card's commands, quoted for a shell."""
    return quote(f"{task.name}.sqlite")


def varied_as_one(names: pd.Series) -> pd.Series:
    """Return chip names; the name of each variant is replaced by `VARIED`."""
    return names.map(lambda name: VARIED if is_varied(name) else name)


def _commands(task: Task, key: Any, rows: pd.DataFrame, file: str) -> list[str]:
    """Return the commands that measure these rows.

    If no plan has all networks of the rows, the last command takes the networks from the table. If a campaign moved
    from CPU to GPU, there are two commands; the second skips the stored rows. Rows of varied chips that no campaign
    draws may have no command.
    """
    hardware, fidelity, seed = key
    measured = dict(zip(zip(_genomes(rows), rows["hardware"], strict=True), rows["precision"], strict=True))
    genomes = {genome for genome, _ in measured}
    plans = {kind: [tuple(genome) for genome in plan(task, len(genomes), kind=kind).tolist()] for kind in PLANS}
    kind = max(plans, key=lambda kind: _first_missing(plans[kind], genomes))
    planned = plans[kind]
    times = sum(genome == planned[0] for genome, _ in measured) // len(GENE_TECHNOLOGIES)
    if hardware == VARIED and not 1 <= times <= MOST_SETTINGS:
        kinds = rows.groupby("hardware")
        few = kinds if len(kinds) <= len(GENE_TECHNOLOGIES) and hardware not in set(rows["hardware"]) else ()
        return [command for name, own in few for command in _commands(task, (name, fidelity, seed), own, file)]
    there = on_cpu = 0
    for place, genome in enumerate(planned):
        names = [chip.name for chip in to_hardware(drawn_for(place, times))] if hardware == VARIED else [hardware]
        if not all((genome, name) in measured for name in names):
            break
        on_cpu += on_cpu == there and all(measured[genome, name] != schema.GPU_PRECISION for name in names)
        there += 1
    word = hardware if has_name(str(hardware)) else f"{hardware}.toml"
    chips = f"--vary-chip {times}" if hardware == VARIED else f"--hardware {quote(word)}"
    space = "" if task.space_name == "resnet" else f" --space {task.space_name}"
    of_plan = f" --plan {kind}" if kind != PLANS[0] else ""
    choices = [f"--n {on_cpu}{of_plan}"] if on_cpu else []
    choices += [f"--n {there} --device cuda{of_plan}"] if there > on_cpu else []
    if hardware != VARIED and there < len(genomes):
        choices.append(f"--networks {quote(file)}")
    return [
        f"ohmnas campaign --task {quote(task_word(task.name))}{space} {chips} --fidelity {quote(fidelity)} "
        f"--seed {seed} {choice} --store {_store(task)}"
        for choice in choices
    ]


def _first_missing(planned: list[tuple[int, ...]], genomes: set[tuple[int, ...]]) -> int:
    """Return how many architectures at the start of a plan are measured."""
    return next((place for place, genome in enumerate(planned) if genome not in genomes), len(planned))


def _genomes(rows: pd.DataFrame) -> list[tuple[int, ...]]:
    return [tuple(genome) for genome in rows[list(schema.gene_columns(rows.columns))].to_numpy().tolist()]


def worker_hours(frame: pd.DataFrame) -> float:
    """Return the worker hours of the rows; a training run that several chips share counts once."""
    settings = [name for name in schema.HARDWARE_COLUMNS if name.removeprefix("hw_") not in AFTER_TRAINING]
    training = [*schema.gene_columns(frame.columns), *settings, "task", "fidelity", "seed", "train_seconds"]
    seconds = frame.drop_duplicates(training)["train_seconds"].sum() + frame["drift_seconds"].sum()
    return float(seconds) / 3600
