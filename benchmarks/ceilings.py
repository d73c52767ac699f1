"""Label noise of tables: agreement between seeds and share of noise, for all networks and for the best 40 %.

python benchmarks/ceilings.py TABLE [TABLE ...] [--hardware pcm] [--json]

Only networks measured with two seeds count. The best networks have a first label among the best 40 % of all first
labels of the table. tau is Kendall's tau between both seeds. The ceiling is the tau of a perfect predictor on these
labels (`surrogate.metrics.noise_ceiling`). Noise is the variance of a single label around its mean over seeds, as a
share of the variance of these networks' labels; standard deviations are compared as logarithms. "flips" is the share of
the variance over chips that single borderline images explain.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import accuracy_std_floor, read_table
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate.metrics import kendall_tau, noise_ceiling

LABELS = ("accuracy_1d", "accuracy_1d_std", "avm")
BEST = 0.4
FEWEST = 8
"""Smallest number of pairs for a result."""


def ceilings(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Part of the table (all networks, or the best) -> statistics of its labels."""
    floor = accuracy_std_floor(frame)
    frame = frame.assign(accuracy_1d_std=np.log(np.maximum(frame["accuracy_1d_std"], floor)))
    groups = frame.sort_values("seed", kind="stable").groupby(list(GENE_NAMES), sort=True)
    first, second = groups.nth(0), groups.nth(1)
    threshold = first["accuracy_1d"].quantile(1 - BEST)
    columns = [*GENE_NAMES, *LABELS, *schema.SPREAD_COLUMNS]
    pairs = first[columns].merge(second[columns], on=list(GENE_NAMES), suffixes=("_1", "_2"))
    found = {}
    for name, some, everything in (
        ("all", pairs, first),
        ("best 40 %", pairs[pairs["accuracy_1d_1"] >= threshold], first[first["accuracy_1d"] >= threshold]),
    ):
        if len(some) < FEWEST:
            continue
        parts = everything[list(schema.SPREAD_COLUMNS)].dropna().to_numpy(np.float64)  # missing before protocol 4
        flips = parts[:, schema.SPREAD_COLUMNS.index("spread_flips")].sum()
        result: dict[str, Any] = {"pairs": len(some), "flips": flips / parts.sum() if len(parts) else math.nan}
        for label in LABELS:
            one, other = (some[f"{label}_{which}"].to_numpy() for which in (1, 2))
            noise = np.square(one - other).mean() / 2
            result[label] = {
                "tau": kendall_tau(one, other),
                "ceiling": noise_ceiling(one, other),
                "noise": float(noise / everything[label].var()),
            }
        found[name] = result
    return found


def main() -> None:
    """Print a line for each part of each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--hardware", default="pcm")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {name: ceilings(read_table(name).select(arguments.hardware)) for name in arguments.tables}
    if arguments.json:
        print(json.dumps(found))
        return
    headings = "".join(f"{f'{label}: tau, ceiling, noise':>33}" for label in ("accuracy", "log std", "AVM"))
    print(f"{'':34}{'pairs':>6}{headings}{'flips':>8}")
    for name, parts in found.items():
        for part, result in parts.items():
            cells = "".join(
                f"{result[label]['tau']:19.2f}{result[label]['ceiling']:7.2f}{result[label]['noise']:7.2f}"
                for label in LABELS
            )
            print(f"{f'{name}, {part}':34}{result['pairs']:6}{cells}{result['flips']:8.2f}")


if __name__ == "__main__":
    main()
