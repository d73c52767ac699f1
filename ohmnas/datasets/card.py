"""The card of a table: what was measured, how, with what, and the command that goes on."""

from __future__ import annotations

import datetime
from pathlib import Path
from shlex import quote
from typing import Any

import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.cells import typed
from ohmnas.datasets.plan import PLANS, plan
from ohmnas.datasets.task import TASKS, Task, task_word
from ohmnas.spaces.chips import MOST_SETTINGS, drawn_for, to_hardware
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import TECHNOLOGIES, VARIED, has_name, is_varied, kind_of
from ohmnas.spaces.resnet import ResNetSpace

_AFTER_TRAINING = (
    "hw_g_max",
    "hw_programming_noise",
    "hw_read_noise",
    "hw_drift",
    "hw_drift_compensation",
    "hw_batch_norm",
)
"""Settings that a training knows nothing of, as `protocol.training_settings` has it."""
PROTOCOL = (
    "Each row is one network: built with freshly drawn weights, trained with the hardware's noise, clipping and "
    "converters, then programmed on `chips` simulated chips. Each chip is one programming event with its own noise and "
    "drift exponents, and the same chip is read 1 second, 1 hour, 1 day and 30 days after programming, with global "
    "drift compensation. Accuracies are fractions of the validation images, means over the chips; _std is their "
    "standard deviation (n-1) over the chips; avm is accuracy_1s - accuracy_1mo, chip by chip. accuracy_digital is the "
    "same trained network computed exactly. Devices are aihwkit's noise models; tiles, converters and compensation "
    "follow aihwkit's inference tile."
)


def make_card(frame: pd.DataFrame, task: Task) -> dict[str, Any]:
    """The card of a table's rows; `table.write_table` adds the number of rows and the checksum.

    Args:
        frame: `schema.COLUMNS`, with any index.
        task: of the rows.

    Raises:
        BrokenFileError: a column is missing, or a cell is of another kind.
    """
    frame = typed(frame, Path(f"{task.name}.csv"))
    kinds, on_gpu = varied_as_one(frame["hardware"]), frame["precision"] == schema.GPU_PRECISION
    return {
        "schema": schema.SCHEMA_VERSION,
        "space": ResNetSpace.name,
        "task": task.name,
        "input_shape": list(task.input_shape),
        "classes": task.classes,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "protocol": PROTOCOL,
        "status": {str(name): int(count) for name, count in frame["status"].value_counts().items()},
        "architectures": len(frame.drop_duplicates(list(ResNetSpace(task.input_shape, task.classes).gene_names))),
        "hardware": sorted(set(frame["hardware"].map(kind_of))),
        "fidelity": sorted(set(frame["fidelity"])),
        "seeds": sorted({int(seed) for seed in frame["seed"]}),
        "software": {column: sorted(set(frame[column])) for column in schema.COMPUTING_COLUMNS},
        "bounds": {
            "min_params": task.min_params,
            "max_params": task.max_params,
            "max_macs": task.max_macs,
        },
        "hours_of_one_core": round(worker_hours(frame[~on_gpu]), 2),
        **({"hours_of_one_gpu_worker": round(worker_hours(frame[on_gpu]), 2)} if on_gpu.any() else {}),
        "reproduce": [
            *(c for key, rows in frame.groupby([kinds, "fidelity", "seed"]) for c in _commands(task, key, rows)),
            f"ohmnas export-table --store {_store(task)}"
            + ("" if task.name in TASKS else f" --task {quote(task_word(task.name))}")
            + f" --out {quote(f'{task.name}.csv')}",
        ],
    }


def _store(task: Task) -> str:
    """What the commands of a card call the store, as a shell takes it."""
    return quote(f"{task.name}.sqlite")


def varied_as_one(names: pd.Series) -> pd.Series:
    """Names of chips, all that are varied from a preset under one."""
    return names.map(lambda name: VARIED if is_varied(name) else name)


def _commands(task: Task, key: Any, rows: pd.DataFrame) -> list[str]:
    """The campaigns that measure these rows, or those of them that a plan has; none for rows that are in no plan.

    Where a CPU began and a GPU went on, these are two: the second leaves out what the store holds.
    """
    hardware, fidelity, seed = key
    measured = dict(zip(zip(_genomes(rows), rows["hardware"], strict=True), rows["precision"], strict=True))
    genomes = {genome for genome, _ in measured}
    plans = {kind: [tuple(genome) for genome in plan(task, len(genomes), kind=kind).tolist()] for kind in PLANS}
    kind = max(plans, key=lambda kind: _first_missing(plans[kind], genomes))
    planned = plans[kind]
    times = sum(genome == planned[0] for genome, _ in measured) // len(TECHNOLOGIES)
    if hardware == VARIED and not 1 <= times <= MOST_SETTINGS:
        kinds = rows.groupby("hardware")
        few = kinds if len(kinds) <= len(TECHNOLOGIES) and hardware not in set(rows["hardware"]) else ()
        return [command for name, own in few for command in _commands(task, (name, fidelity, seed), own)]
    there = on_cpu = 0
    for place, genome in enumerate(planned):
        names = [chip.name for chip in to_hardware(drawn_for(place, times))] if hardware == VARIED else [hardware]
        if not all((genome, name) in measured for name in names):
            break
        on_cpu += on_cpu == there and all(measured[genome, name] != schema.GPU_PRECISION for name in names)
        there += 1
    word = hardware if has_name(str(hardware)) else f"{hardware}.toml"
    chips = f"--vary-chip {times}" if hardware == VARIED else f"--hardware {quote(word)}"
    numbers = [*([f"{on_cpu}"] if on_cpu else []), *([f"{there} --device cuda"] if there > on_cpu else [])]
    return [
        f"ohmnas campaign --task {quote(task_word(task.name))} {chips} --fidelity {quote(fidelity)} --seed {seed} "
        f"--n {number}{f' --plan {kind}' if kind != PLANS[0] else ''} --store {_store(task)}"
        for number in numbers
    ]


def _first_missing(planned: list[tuple[int, ...]], genomes: set[tuple[int, ...]]) -> int:
    """How many of a plan's first architectures are there."""
    return next((place for place, genome in enumerate(planned) if genome not in genomes), len(planned))


def _genomes(rows: pd.DataFrame) -> list[tuple[int, ...]]:
    return [tuple(genome) for genome in rows[list(GENE_NAMES)].to_numpy().tolist()]


def worker_hours(frame: pd.DataFrame) -> float:
    """Hours of one worker that rows took; chips that were measured on one trained network count its training once."""
    settings = [name for name in schema.HARDWARE_COLUMNS if name not in _AFTER_TRAINING]
    training = [*GENE_NAMES, *settings, "task", "fidelity", "seed", "train_seconds"]
    seconds = frame.drop_duplicates(training)["train_seconds"].sum() + frame["drift_seconds"].sum()
    return float(seconds) / 3600
