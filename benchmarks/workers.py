"""Rows an hour with one worker process and with two, in one run.

python benchmarks/workers.py [--n 16] [--json]

The same architectures of the digits plan at fidelity `low`, on one worker, on two, and on one again, each time started
anew: a machine that others share is now faster, now slower, and the two runs of one worker are averaged. Workers load
torch before their first row, and when the plan ends one has nothing left to do; so what counts is the time in which
both are at work, from the second row that is done to the last but one. What was done in that time, rows at its end by
the part that lies in it, took one worker so many seconds; the ratio is how many times as long.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.fidelity import fidelity
from ohmnas.datasets.plan import plan
from ohmnas.datasets.protocol import Protocol
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.task import task
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import Hardware

Genome = tuple[int, ...]


def measured(n: int, jobs: int) -> tuple[list[Genome], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A campaign of n digits rows: which, in the order in which they are done, when each is, and its own seconds."""
    digits = task("digits")
    campaign = Campaign(Protocol(digits, fidelity("low")), plan(digits, n), (Hardware(),), seed=0)
    genomes: list[Genome] = []
    done: list[float] = []
    took: list[float] = []

    def note(row: Row) -> None:
        done.append(time.perf_counter())
        genomes.append(tuple(int(str(row[gene])) for gene in GENE_NAMES))
        took.append(float(str(row["train_seconds"])) + float(str(row["drift_seconds"])))

    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        campaign.run(store, jobs, note)
    return genomes, np.array(done), np.array(took)


def paces(n: int) -> tuple[list[float], float]:
    """Rows an hour of one worker, before and after, and how many times their mean two do."""
    before, both, after = measured(n, 1), measured(n, 2), measured(n, 1)
    runs = np.diff(before[1]), np.diff(after[1])  # all it takes: row, commit, the next one handed over
    alone = dict(zip(before[0][1:], np.mean(runs, axis=0), strict=True))
    genomes, done, took = both
    begin, end = done[1], done[-2]
    inside = np.clip(np.minimum(done, end) - np.maximum(done - took, begin), 0.0, None) / took
    work = sum(share * alone.get(genome, 0.0) for share, genome in zip(inside, genomes, strict=True))
    return [3600 / float(run.mean()) for run in runs], work / (end - begin)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.n < 8:
        parser.error("--n is at least 8: fewer rows say nothing of a pace")
    ones, ratio = paces(arguments.n)
    one = 2 / (1 / ones[0] + 1 / ones[1])  # of the mean seconds of a row
    if arguments.json:
        print(json.dumps({"rows_per_hour": {1: one, 2: ratio * one}, "one_worker_twice": ones, "ratio": ratio}))
        return
    print(f"1 worker   {one:6.0f} rows/h, before and after: {ones[0]:.0f} and {ones[1]:.0f}")
    print(f"2 workers  {ratio * one:6.0f} rows/h")
    print(f"ratio      {ratio:6.2f}")


if __name__ == "__main__":
    main()
