"""Gradient search on cells: found cells by method, remedy and weight of the energy, with their published accuracies.

python benchmarks/gradient_search.py --store FILE.json [--task cifar10] [--images 20000] [--epochs 10] [--seeds 1]
    [--only NAME,..] [--table FILE.anb] [--minutes M] [--json]

Needs ``pip install analog-nasbench``, or the path of its data file. Each search trains a small search network on images
of at most 16 pixels, with the chip pcm. The table shows the cell's rank among the published 1-day accuracies of all
cells (0 is the worst, 100 the best). The store keeps finished searches: run again to add the others. A stopped search
continues.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas.datasets.tables.analognasbench import NAME
from ohmnas.datasets.tables.table import read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.files import write_atomically
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient import Settings, gradient_search
from ohmnas.search.limits import Limits

SKIP: Final = 1
"""Gene of a skip connection."""
WEIGHTS: Final = (0.01, 0.03, 0.1, 0.3, 1.0)
SEARCHES: Final[dict[str, dict[str, Any]]] = {
    "darts": {"method": "darts"},
    "darts auxiliary": {"method": "darts", "remedy": "auxiliary"},
    **{
        f"darts auxiliary energy={weight:g}": {"method": "darts", "remedy": "auxiliary", "weights": {"energy": weight}}
        for weight in WEIGHTS
    },
    "darts early-stop": {"method": "darts", "remedy": "early-stop"},
    "darts perturb": {"method": "darts", "remedy": "perturb"},
    "gdas": {"method": "gdas", "epochs": 2.0},
    "gdas auxiliary": {"method": "gdas", "remedy": "auxiliary", "epochs": 2.0},
    "proxyless": {"method": "proxyless", "epochs": 2.0},
    "proxyless auxiliary": {"method": "proxyless", "remedy": "auxiliary", "epochs": 2.0},
    "darts2": {"method": "darts2"},
    "darts2 auxiliary": {"method": "darts2", "remedy": "auxiliary"},
}
"""Name -> settings; `epochs` multiplies the epochs of the command, because methods that sample are faster."""


def main() -> None:
    """Run the missing searches, then print all."""
    arguments = _arguments()
    stored: dict[str, Any] = json.loads(arguments.store.read_text("utf-8")) if arguments.store.exists() else {}
    names = arguments.only.split(",") if arguments.only else [*SEARCHES]
    deadline = time.monotonic() + 60.0 * arguments.minutes
    for seed in range(arguments.seeds):
        for name in names:
            key = f"{name} / {arguments.task} / {arguments.images} / {arguments.epochs} / {seed}"
            if key not in stored and time.monotonic() < deadline:
                stored[key] = {"name": name, "seed": seed, **_searched(arguments, name, seed)}
                write_atomically(arguments.store, json.dumps(stored, indent=1) + "\n")
                _snapshot(arguments.store, name, seed).unlink(missing_ok=True)
    rows = _ranked(stored.values(), arguments.table)
    print(json.dumps(rows) if arguments.json else _as_text(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--task", default="cifar10")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--table", default=NAME)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _searched(arguments: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    """Run one search, or continue it."""
    given = {**SEARCHES[name]}
    epochs = round(arguments.epochs * given.pop("epochs", 1.0))
    effort = {"epochs": epochs, "images": arguments.images, "resolution": 16, "settle": 0}
    settings = Settings(**given, **effort, batch=128, learning_rate=0.2)
    snapshot = _snapshot(arguments.store, name, seed)
    start = time.process_time()
    result = gradient_search(
        task(arguments.task).in_space("cells"), hardware("pcm"), Limits(), settings, seed, snapshot=snapshot
    )
    return {
        "cell": str(result.best.architecture),
        "genome": list(result.best.genome),
        "params": result.best.params,
        "energy": result.best.costs["energy"],
        "epochs": len(result.history),
        "skips": [entry["skips"] for entry in result.history],
        "entropy": [entry["entropy"] for entry in result.history],
        "accuracy": [entry["objective"] for entry in result.history],
        "cpu_seconds": time.process_time() - start,
    }


def _snapshot(store: Path, name: str, seed: int) -> Path:
    """File of an unfinished search."""
    return store.with_suffix(f".{name.replace(' ', '-')}-{seed}.safetensors")


def _ranked(found: Any, table: str) -> list[dict[str, Any]]:
    """Add the published accuracy of each cell, and its rank in percent."""
    published = read_table(table)
    means = published.measured.groupby(list(published.space.gene_names))["accuracy_1d"].mean()
    every = np.sort(means.to_numpy())
    rows = []
    for one in found:
        accuracy = float(means.get(tuple(one["genome"]), np.nan))
        rank = 100.0 * float(np.searchsorted(every, accuracy)) / (len(every) - 1)
        rows.append({**one, "published": accuracy, "rank": rank})
    return rows


def _as_text(rows: list[dict[str, Any]]) -> str:
    head = "| search | seed | cell | skips | energy, µJ | published 1-day accuracy, % | rank, % | CPU s |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for one in rows:
        skips = sum(gene == SKIP for gene in one["genome"])
        lines.append(
            f"| {one['name']} | {one['seed']} | `{one['cell']}` | {skips} | {1e6 * one['energy']:.3f} | "
            f"{100 * one['published']:.1f} | {one['rank']:.0f} | {one['cpu_seconds']:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
