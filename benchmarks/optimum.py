"""Test if evolution finds the true optimum of a surrogate, known from a grid over a million architectures.

python benchmarks/optimum.py [--json]
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

import numpy as np

from ohmnas.datasets.tables.table import read_table
from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.search.strategies import Aging, Grid, Local, Random
from ohmnas.search.strategies.evolution import AS_PUBLISHED
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.resnet.genes import TABLE
from ohmnas.surrogate import Surrogate, TrainingSet

WITHIN = Bounds.of(TABLE, {"OC0": (8, 71), "KS0": (3, 3), "M": (1, 2), "R": (1, 4), "B": (1, 4), "WF": (1, 2)})
EVALUATIONS = 20_000
SEEDS = 10
MAKERS: dict[str, Any] = {
    "evolution": Evolution,
    "evolution (paper)": partial(Evolution, **AS_PUBLISHED),
    "aging": Aging,
    "local": Local,
    "random": Random,
}
SAME = 1e-5
"""Largest relative difference between predictions of one architecture in different batches (float32 sums)."""


def main() -> None:
    """Enumerate, search, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    surrogate = Surrogate.learn(TrainingSet.of(read_table("digits"))).model_
    seen = surrogate.provenance["seen"]
    limits = Limits(50_000, seen["max_macs"], 0.02, seen["min_params"])
    problem = Problem(surrogate.space, surrogate, limits, within=WITHIN)
    whole = search(problem, Grid, 0, Budget(10_000, 1_000_000))
    best = whole.history[-1]["objective"]
    values: dict[str, Any] = {
        "architectures": WITHIN.size,
        "affordable": whole.evaluations,
        "optimum": best,
        "grid_seconds": whole.seconds,
        "strategies": {},
    }
    for name, make in MAKERS.items():
        runs = [search(problem, make, seed, Budget(iterations=1000, evaluations=EVALUATIONS)) for seed in range(SEEDS)]
        reached = np.array([run.history[-1]["objective"] for run in runs]) / best
        first = [
            next(entry["evaluations"] for entry in run.history if entry["objective"] >= best * (1 - SAME))
            for run, share in zip(runs, reached, strict=True)
            if share >= 1 - SAME
        ]
        values["strategies"][name] = {
            "found": len(first),
            "worst": float(reached.min()),
            "evaluations_until": float(np.median(first)) if first else None,
            "seconds": float(np.median([run.seconds for run in runs])),
        }
    if arguments.json:
        print(json.dumps(values))
        return
    print(
        f"{WITHIN.size:,} architectures, {whole.evaluations:,} within the cost limits; "
        f"grid took {whole.seconds:.1f} s and found {best:.1f}: {whole.best.architecture}"
    )
    print(f"{'':20}{'optimum found':>14}{'worst seed':>12}{'evaluations':>18}{'seconds':>9}")
    for name, row in values["strategies"].items():
        until = "-" if row["evaluations_until"] is None else f"{row['evaluations_until']:,.0f}"
        print(f"{name:20}{row['found']:>8} of {SEEDS}{row['worst']:12.4f}{until:>18}{row['seconds']:9.2f}")


if __name__ == "__main__":
    main()
