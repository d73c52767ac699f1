"""Rows an hour with one worker process and with two, in one run.

python benchmarks/workers.py [--n 24] [--json]

The same architectures of the digits plan at fidelity `low`, on one worker and on two, each count started anew. Workers
load torch before their first row, so the time runs from the end of the first row of each worker to the last row.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.fidelity import fidelity
from ohmnas.datasets.plan import plan
from ohmnas.datasets.protocol import Protocol
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.task import task
from ohmnas.spaces.hardware import Hardware


def rows_per_hour(n: int, jobs: int) -> float:
    """Of a campaign of n digits rows with so many workers, once all of them are at work."""
    digits = task("digits")
    campaign = Campaign(Protocol(digits, fidelity("low")), plan(digits, n), (Hardware(),), seed=0)
    moments: list[float] = []

    def note(row: Row) -> None:
        del row
        moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        campaign.run(store, jobs, note)
    return 3600 * (n - jobs) / (moments[-1] - moments[jobs - 1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    paces = {jobs: rows_per_hour(arguments.n, jobs) for jobs in (1, 2)}
    if arguments.json:
        print(json.dumps({"rows_per_hour": paces, "ratio": paces[2] / paces[1]}))
        return
    for jobs, pace in paces.items():
        print(f"{jobs} worker{'s' if jobs > 1 else ' '}  {pace:6.0f} rows/h")
    print(f"ratio      {paces[2] / paces[1]:6.2f}")


if __name__ == "__main__":
    main()
