"""`ohmnas describe`: summarise a measured table in numbers and pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from ohmnas.cli import render
from ohmnas.cli.output import output_folder
from ohmnas.cli.source import source_table
from ohmnas.datasets.tables.plots import plot_table
from ohmnas.datasets.tables.summary import groups, labels, learned, relations, spread
from ohmnas.errors import counted

SMALL = 100
"""With fewer rows well above chance, the output warns that groups are small."""


def run(arguments: argparse.Namespace) -> None:
    """Print the numbers and draw the pictures."""
    table = source_table(arguments.table, arguments)
    chosen = learned(table, arguments.hardware, arguments.fidelity)
    spreads, related = spread(table, arguments.hardware), relations(table, chosen)
    grouped = groups(table, arguments.hardware, arguments.fidelity)
    names, variation = labels(table), table.targets[2]
    pictures: list[Path] = []
    if arguments.out is not None:
        with output_folder(arguments.out):
            pictures = plot_table(table, arguments.out, arguments.format)
    if arguments.json:
        render.machine(
            {
                "table": arguments.table,
                "spread": json.loads(spreads.to_json(orient="records", double_precision=6)),
                "learned": len(chosen),
                "relations": json.loads(related.to_json(orient="index", double_precision=6)),
                "groups": json.loads(grouped.to_json(orient="records", double_precision=6)),
                "pictures": [str(path) for path in pictures],
            }
        )
        return
    render.table(
        ["chip, fidelity, seed", "rows", "stopped early", "failed", "1-day accuracy", "std", variation.title],
        [
            [
                f"{row['hardware']} {row['fidelity']} {row['seed']}",
                str(row["rows"]),
                str(row["given_up"] + row["stopped"]),
                str(row["failed"]),
                *(_quantiles(row, label) for label in names),
            ]
            for row in spreads.to_dict("records")
        ],
        title=f"{table.card['task']}: median (5 % to 95 % quantiles), %",
    )
    where = f"{chosen['hardware'].iloc[0]}, {chosen['fidelity'].iloc[0]}" if len(chosen) else "none"
    render.table(
        ["Kendall's tau with", *names],
        [[str(name), *(_tau(row[label]) for label in names)] for name, row in related.iterrows()],
        title=f"{where}: {len(chosen)} rows well above chance (1 day)",
    )
    render.table(
        ["architectures", "rows", "well above chance", *names],
        [
            [
                f"{row['choice']}: {row['group']}",
                str(row["rows"]),
                f"{100 * row['learned']:.0f} %",
                *("-" if pd.isna(row[label]) else f"{100 * row[label]:.1f}" for label in names),
            ]
            for row in grouped.to_dict("records")
        ],
        title=f"{where}: share of rows well above chance (1 day) and their medians, %",
    )
    if 0 < len(chosen) < SMALL:
        render.line(
            f"only {counted(len(chosen), 'row')} well above chance: in groups of fewer than 10 rows, medians are "
            "unreliable"
        )
    for path in pictures:
        render.line(f"picture: {path}")


def _quantiles(row: dict[Any, Any], label: str) -> str:
    low, middle, high = (100 * row[f"{label}_{q}"] for q in (5, 50, 95))
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def _tau(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:+.2f}"
