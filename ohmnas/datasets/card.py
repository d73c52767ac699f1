"""The card of a table: what was measured, how, with what, and the command that goes on."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.plan import plan
from ohmnas.datasets.task import Task
from ohmnas.spaces.chips import MOST_SETTINGS, drawn_for, to_hardware
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import TECHNOLOGIES, is_varied, kind_of
from ohmnas.spaces.resnet import ResNetSpace

VARIED = "varied"
"""What all chips are counted as that a campaign has drawn."""
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
    """The card of a table's rows; `table.write_table` adds the number of rows and the checksum."""
    kinds = frame["hardware"].map(lambda name: VARIED if is_varied(name) else name)
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
        "software": {column: sorted(set(frame[column])) for column in schema.VERSION_COLUMNS},
        "bounds": {
            "min_params": task.min_params,
            "max_params": task.max_params,
            "max_macs": task.max_macs,
        },
        "hours_of_one_core": round(core_hours(frame), 2),
        "reproduce": [
            *(c for key, rows in frame.groupby([kinds, "fidelity", "seed"]) for c in _commands(task, key, rows)),
            f"ohmnas export-table --store {task.name}.sqlite --out {task.name}.csv",
        ],
    }


def _commands(task: Task, key: Any, rows: pd.DataFrame) -> list[str]:
    """The campaign that measures these rows; none for rows that are in no plan."""
    hardware, fidelity, seed = key
    genomes = [tuple(genome) for genome in rows[list(GENE_NAMES)].to_numpy().tolist()]
    planned = [tuple(genome) for genome in plan(task, len(set(genomes))).tolist()]
    if set(genomes) != set(planned):
        return []
    chips = f"--hardware {hardware}"
    if hardware == VARIED:
        times = len(rows) // (len(planned) * len(TECHNOLOGIES))
        drawn = {
            (genome, chip.name)
            for place, genome in enumerate(planned)
            for chip in to_hardware(drawn_for(place, min(times, MOST_SETTINGS)))
        }
        if drawn != set(zip(genomes, rows["hardware"], strict=True)):
            return []
        chips = f"--vary-chip {times}"
    return [
        f"ohmnas campaign --task {task.name} {chips} --fidelity {fidelity} --seed {seed} "
        f"--n {len(planned)} --store {task.name}.sqlite"
    ]


def core_hours(frame: pd.DataFrame) -> float:
    """Hours of one core that rows took; chips that were measured on one trained network count its training once."""
    training = [*GENE_NAMES, "task", "fidelity", "seed", "train_seconds"]
    seconds = frame.drop_duplicates(training)["train_seconds"].sum() + frame["drift_seconds"].sum()
    return float(seconds) / 3600
