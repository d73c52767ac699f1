"""`ohmnas study`: feature importance, effects of choices and a map of a measured table, as tables and pictures."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from ohmnas.cli import render
from ohmnas.cli.output import output_folder
from ohmnas.cli.source import source_table
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.files import write_atomically
from ohmnas.pictures import FORMATS
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate.measured import measured_chip_effects
from ohmnas.surrogate.plots import plot_effects, plot_importance, plot_map
from ohmnas.surrogate.study import chip_effects, gene_effects, importance, space_map
from ohmnas.targets import DEFAULT_NAMES

SHOWN = 12
"""Number of features printed; the file has all of them."""


def run(arguments: argparse.Namespace) -> None:
    """Study the table, write the files and print the result."""
    table = source_table(arguments.table, arguments)
    data = TrainingSet.of(table, arguments.hardware, arguments.fidelity)
    with output_folder(arguments.out):
        found = _found(arguments, table, data)
        _tidy(arguments.out, found)
        paths = _write(arguments.out, found, data, arguments.format)
    if arguments.json:
        records = {name: json.loads(frame.to_json(orient="records")) for name, frame in found.items()}
        render.machine({"table": arguments.table, **data.provenance, **records, "files": [str(path) for path in paths]})
        return
    _show(arguments, data, found)


def _found(arguments: argparse.Namespace, table: MeasuredTable, data: TrainingSet) -> dict[str, pd.DataFrame]:
    with render.meter("studying", 4, show=not arguments.json) as meter:
        meter.begin(0, "importance of features")
        found = {"importance": importance(data, arguments.seed)}
        meter.advance(1, "effects of genes")
        found["gene_effects"] = gene_effects(data, arguments.seed, arguments.resamples)
        meter.advance(2, "effects of chip settings")
        if others := _others(table, data):
            found["chip_effects"] = chip_effects([data, *others], arguments.seed, arguments.resamples)
        with suppress(InvalidValueError):  # the table's chips were not varied
            designs = TrainingSet.of_designs(table, data.provenance["fidelity"])
            if len(effects := measured_chip_effects(designs)):
                found["measured_chip_effects"] = effects
        meter.advance(3, "map")
        found["map"] = space_map(data)
    return found


def _tidy(folder: Path, found: dict[str, pd.DataFrame]) -> None:
    """Remove files from an earlier study that this study does not overwrite."""
    for name in ("chip_effects", "measured_chip_effects"):
        for kind in ("csv", *FORMATS):
            if name not in found and (folder / f"{name}.{kind}").exists():
                (folder / f"{name}.{kind}").unlink()
                render.notice(f"note: removed {folder / name}.{kind} from an earlier study")


def _write(folder: Path, found: dict[str, pd.DataFrame], data: TrainingSet, kind: str) -> list[Path]:
    """Write tables and pictures; return their paths."""
    for name, frame in found.items():
        write_atomically(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
    plot_importance(found["importance"], folder / f"importance.{kind}")
    where = f"on the same architectures ({data.provenance['task']} on {data.provenance['hardware']})"
    for name in (name for name in found if name.endswith("_effects")):
        how = "Measured" if name.startswith("measured") else "Predicted"
        plot_effects(found[name], folder / f"{name}.{kind}", f"{how} effect of one choice {where}")
    plot_map(found["map"], folder / f"map.{kind}")
    return [folder / f"{name}.{ending}" for name in found for ending in ("csv", kind)]


def _others(table: MeasuredTable, data: TrainingSet) -> list[TrainingSet]:
    """Return the rows of each other chip that has enough rows at the same fidelity."""
    others = []
    for chip in sorted(set(table.measured["hardware"]) - {data.provenance["hardware"]}):
        with suppress(InvalidValueError):
            others.append(TrainingSet.of(table, chip, data.provenance["fidelity"]))
    return others


def _show(arguments: argparse.Namespace, data: TrainingSet, found: dict[str, pd.DataFrame]) -> None:
    where = f"{data.provenance['task']} on {data.provenance['hardware']}, {data.provenance['rows']} architectures"
    render.table(
        ["permutation importance (loss of tau)", *DEFAULT_NAMES],
        [
            [str(row["feature"]), *(f"{row[target]:.3f} ±{row[f'{target}_error']:.3f}" for target in DEFAULT_NAMES)]
            for row in found["importance"].head(SHOWN).to_dict("records")
        ],
        title=where,
    )
    for name, title, what in (
        ("gene_effects", "choice", "predicted change in points, for the same architectures"),
        ("chip_effects", "chip setting", "predicted change in points, for the same architectures"),
        ("measured_chip_effects", "chip setting", "measured change in points, for the same architectures"),
    ):
        if name not in found:
            continue
        render.table(
            [title, "value", "compared with", "accuracy (90 % interval)", "std", "AVM"],
            [
                [
                    *(str(row[column]) for column in ("choice", "label", "against")),
                    _change(row, DEFAULT_NAMES[0], interval=True),
                    *(_change(row, target) for target in DEFAULT_NAMES[1:]),
                ]
                for row in found[name].to_dict("records")
                if row["label"] != row["against"]
            ],
            title=what,
        )
    if not any(name.endswith("chip_effects") for name in found):
        render.line("effects of chip settings: none, because no other chip in the table has enough rows")
    render.line(f"saved tables and pictures: {arguments.out}")


def _change(row: dict[Any, Any], target: str, interval: bool = False) -> str:
    change, low, high = (100 * row[f"{target}_{name}"] for name in ("change", "low", "high"))
    return f"{_points(change)} ({_points(low)} to {_points(high)})" if interval else _points(change)


def _points(value: float) -> str:
    """Format with a sign, unless the value rounds to zero."""
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"
