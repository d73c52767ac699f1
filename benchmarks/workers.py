"""Rows per hour with one worker process and with two, in one run.

python benchmarks/workers.py [--n 16] [--rounds 3] [--json]

The same architectures of the digits plan are measured at the fidelity of tables. Runs with one worker and with two
workers alternate; the first and the last run have one worker. The speed of a shared machine varies, so each run with
two workers is compared with the mean of the runs with one worker before and after it. Workers import torch before their
first row, and one worker is idle at the end of the plan. Only the time in which both work counts, from the second
finished row to the last but one. Each row counts with the share of it that falls into this time. The ratio is the time
that one worker needs for these shares, divided by the time that two workers took.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.genes import GENE_NAMES

Genome = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign's rows, in the order in which they finished."""

    genomes: list[Genome]
    done: npt.NDArray[np.float64]
    """``(n,)``: time at which each row finished, in seconds."""
    took: npt.NDArray[np.float64]
    """``(n,)``: seconds that each row took."""


def measured(n: int, jobs: int) -> Run:
    """Run a campaign of n digits rows."""
    digits = task("digits")
    campaign = Campaign(Protocol(digits, fidelity("table", digits.name)), plan(digits, n), (Hardware(),), seed=0)
    genomes: list[Genome] = []
    done: list[float] = []
    took: list[float] = []

    def note(row: Row) -> None:
        done.append(time.perf_counter())
        genomes.append(tuple(int(str(row[gene])) for gene in GENE_NAMES))
        took.append(float(str(row["train_seconds"])) + float(str(row["drift_seconds"])))

    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        campaign.run(store, jobs, note)
    return Run(genomes, np.array(done), np.array(took))


def ratio(before: Run, both: Run, after: Run) -> float:
    """Speed of two workers relative to one."""
    besides = [np.diff(run.done) - run.took[1:] for run in (before, after)]  # storing a row and starting the next
    alone = dict(zip(before.genomes, (before.took + after.took) / 2 + np.mean(besides), strict=True))
    begin, end = both.done[1], both.done[-2]
    inside = np.minimum(both.done, end) - np.maximum(both.done - both.took, begin)
    shares = np.clip(inside, 0.0, None) / both.took
    work = sum(share * alone[genome] for share, genome in zip(shares, both.genomes, strict=True))
    return float(work / (end - begin))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.n < 8 or arguments.rounds < 2:
        parser.error("--n must be at least 8 and --rounds at least 2: smaller values cannot measure a rate")
    measured(1, 1)  # loads torch and compiles
    ones = [measured(arguments.n, 1)]
    ratios = []
    for _ in range(arguments.rounds):
        both = measured(arguments.n, 2)
        ones.append(measured(arguments.n, 1))
        ratios.append(ratio(ones[-2], both, ones[-1]))
    alone = [3600 / float(np.diff(run.done).mean()) for run in ones]
    mean, error = float(np.mean(ratios)), float(np.std(ratios, ddof=1) / np.sqrt(len(ratios)))
    if arguments.json:
        print(json.dumps({"one_worker_rows_per_hour": alone, "ratios": ratios, "ratio": mean, "error": error}))
        return
    print(f"1 worker   {np.mean(alone):6.0f} rows/h; each run: {', '.join(f'{pace:.0f}' for pace in alone)}")
    print(f"2 workers  {mean * np.mean(alone):6.0f} rows/h")
    print(f"ratio      {mean:6.2f} ± {error:.2f}; each round: {', '.join(f'{one:.2f}' for one in ratios)}")


if __name__ == "__main__":
    main()
