"""Adaptive batch norm against drift: accuracies over a month with trained statistics and with statistics of the chip.

python benchmarks/adaptive.py [--task digits] [--networks 12] [--hardware pcm] [--fidelity table] [--json]

Networks of the task's plan are trained once each and read on the same chips with both statistics. Differences are
paired; the standard error is over networks.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import hardware

COLUMNS = ("accuracy_1s", "accuracy_1h", "accuracy_1d", "accuracy_1mo", "accuracy_1d_std", "avm")
NAMES = ("1 s", "1 h", "1 day", "1 month", "std", "AVM")
WAYS = ("trained", "adaptive")
LEAST_ACCURACY = 0.5
"""Smallest accuracy after a second. Networks below it have not learned the task and are excluded."""


def main() -> None:
    """Print accuracies with both statistics, and their difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="digits", choices=list(TASKS))
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--hardware", default="pcm")
    parser.add_argument("--fidelity", default="table", choices=["smoke", "table"])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chosen, chip = task(arguments.task), hardware(arguments.hardware)
    chips = [replace(chip, name=f"{chip.name}-{way}", batch_norm=way) for way in WAYS]
    protocol = Protocol(chosen, fidelity(arguments.fidelity, chosen.name))
    found, seconds = [], []
    for genome in plan(chosen, arguments.networks):
        rows = measure(protocol, genome, chips, seed=0)
        if any(row["status"] != "ok" for row in rows) or float(rows[0]["accuracy_1s"] or 0.0) < LEAST_ACCURACY:
            continue
        found.append([[float(row[column] or 0.0) for column in COLUMNS] for row in rows])
        seconds.append([float(row["drift_seconds"] or 0.0) for row in rows])
    values = np.array(found)
    difference = values[:, 1] - values[:, 0]
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
    if arguments.json:
        print(json.dumps({"ways": WAYS, "columns": COLUMNS, "values": values.tolist(), "seconds": seconds}))
        return
    print(f"{len(found)} networks of the {chosen.name} plan on {chip.name}; accuracy in %, seconds per reading")
    print(f"{'':12}" + "".join(f"{name:>15}" for name in NAMES) + f"{'seconds':>10}")
    for place, way in enumerate(WAYS):
        cells = "".join(f"{100 * value:15.2f}" for value in values[:, place].mean(axis=0))
        print(f"{way:12}{cells}{np.mean(seconds, axis=0)[place]:10.1f}")
    cells = "".join(
        f"{f'{100 * d:+.2f} ± {100 * e:.2f}':>15}" for d, e in zip(difference.mean(axis=0), error, strict=True)
    )
    print(f"{'difference':12}{cells}")


if __name__ == "__main__":
    main()
