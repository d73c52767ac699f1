"""Training runs that inherit weights, compared with training runs from scratch of the same length: tau and seconds.

python benchmarks/inherit.py [--networks 10] [--epochs 48] [--images N] [--chips 8] [--store FILE] [--json]

The networks are rows of `digits-protocol4` that the smallest residual networks can grow into and whose training took at
most 15 seconds, spread evenly over the ranks of their 1-day accuracy. Each is trained in three ways:

- `whole`: from scratch, with all EPOCHS;
- `from scratch`: with a quarter of the epochs;
- `inherited`: with a quarter of the epochs and a quarter of the peak learning rate, from the weights of its parent,
  which was trained with all epochs.

The output shows Kendall's tau of the 1-day accuracy with `whole`, which had the same images, and with the label of the
table (48 epochs of all images); the mean accuracy; and core-seconds per network. The share of the parents is their
seconds divided by the number of networks. Errors are standard deviations over 1,000 bootstraps. FILE stores the
measurements: an interrupted run continues.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.estimators.inherit import Inherited
from ohmnas.estimators.low_fidelity import low_fidelity
from ohmnas.estimators.training import Trained
from ohmnas.files import write_atomically
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.architecture import CONV_TYPES, Architecture, MainBlock
from ohmnas.surrogate.metrics import kendall_tau

Values = npt.NDArray[np.float64]
TABLE: Final = "digits-protocol4"
WAYS: Final = ("whole", "from scratch", "inherited")
SHARE: Final = 0.25
SHORT: Final = 15.0
"""Longest training run in the table, in seconds."""
BOOTSTRAPS: Final = 1000
DIGITS = task("digits")


def parents() -> Population:
    """``(4, g)``: the smallest networks with one residual block of each kind."""
    kinds = [MainBlock(1, 1, kind, 1, skip) for kind in CONV_TYPES for skip in (True, False)]
    return DIGITS.space.encode([Architecture(8, 3, (block,)) for block in kinds])


def chosen(count: int, inherited: Inherited) -> tuple[Population, Values]:
    """``(n, g)`` networks and ``(n,)`` labels of the table."""
    table = read_table(TABLE)
    frame = table.select().sort_values("seed", kind="stable").drop_duplicates(list(table.space.gene_names))
    frame = frame[frame["train_seconds"] <= SHORT]
    known = {row.tobytes() for row in parents()}
    able = [one.tobytes() not in known and inherited.parent_of(one) is not None for one in genomes(frame)]
    frame = frame[able].sort_values("accuracy_1d", kind="stable")
    frame = frame.iloc[np.linspace(0, len(frame) - 1, count).round().astype(int)]
    return genomes(frame), frame["accuracy_1d"].to_numpy(dtype=np.float64)


def measured(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], Values]:
    """Accuracy and seconds of each network in each way, and the labels of the table."""
    effort = replace(
        fidelity("table", "digits"), epochs=arguments.epochs, train_images=arguments.images, chips=arguments.chips
    )
    inherited = Inherited(DIGITS, parents(), share=SHARE, base=effort)
    ways: dict[str, Trained | Inherited] = {
        "whole": Trained(Protocol(DIGITS, effort)),
        "from scratch": low_fidelity("fewer_epochs", DIGITS, share=SHARE, base=effort),
        "inherited": inherited,
    }
    networks, labels = chosen(arguments.networks, inherited)
    path, key = arguments.store, [arguments.epochs, arguments.images, arguments.chips]
    kept: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path and path.exists() else []
    found = []
    for genome in networks:
        name = [*key, *genome.tolist()]
        row: dict[str, Any] | None = next((one for one in kept if one["name"] == name), None)
        if row is None:
            row = {"name": name}
            kept.append(row)
        for way, one in ways.items():
            if way in row:
                continue
            before, before_parents = one.seconds, inherited.parent_seconds
            row[way] = float(one.estimate(genome[None])["accuracy_1d"][0])
            row[f"{way} seconds"] = one.seconds - before
            if one is inherited:
                row["parent seconds"] = inherited.parent_seconds - before_parents
            if path:
                write_atomically(path, json.dumps(kept))
        found.append(row)
    return found, labels


def _tau(values: Values, truth: Values) -> dict[str, float]:
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(BOOTSTRAPS)]
    error = np.nanstd([kendalltau(truth[some], values[some]).statistic for some in draws])
    return {"tau": round(kendall_tau(truth, values), 3), "error": round(float(error), 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=fidelity("table", "digits").epochs)
    parser.add_argument("--images", type=int, help="training images (all)")
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows, labels = measured(arguments)
    whole = np.array([row["whole"] for row in rows])
    found: dict[str, dict[str, Any]] = {}
    for way in WAYS:
        values = np.array([row[way] for row in rows])
        found[way] = {
            "with whole": _tau(values, whole),
            "with table": _tau(values, labels),
            "accuracy": round(float(values.mean()), 4),
            "seconds": round(float(np.mean([row[f"{way} seconds"] for row in rows])), 3),
        }
    share = round(float(np.mean([row["parent seconds"] for row in rows])), 3)
    if arguments.json:
        print(json.dumps({**found, "networks": len(rows), "parent_seconds": share}))
        return
    print(f"{len(rows)} networks, {arguments.epochs} epochs; tau ± error")
    print(f"{'':14}{'with whole':>16}{'with the table':>16}{'accuracy':>10}{'seconds':>9}")
    for way, one in found.items():
        taus = "".join(f"{one[to]['tau']:>9.2f} ± {one[to]['error']:.2f}" for to in ("with whole", "with table"))
        print(f"{way:14}{taus}{100 * one['accuracy']:>8.1f} %{one['seconds']:>9.2f}")
    print(f"parents: {share:.2f} seconds of a network")


if __name__ == "__main__":
    main()
