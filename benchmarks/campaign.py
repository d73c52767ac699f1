"""Seconds per architecture of the digits campaign, before and after: this tree compared with another commit.

python benchmarks/campaign.py --before COMMIT [--n 12] [--json]

Both measure the same architectures of the plan at the fidelity of tables, alternately, in separate processes on one
core; seconds are processor time. The other commit is checked out temporarily in a worktree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
MEASURE = """
import json, sys, time
try:
    from ohmnas.datasets.campaign.plan import plan
    from ohmnas.datasets.campaign.protocol import Protocol
except ImportError:  # older commits lack these modules
    from ohmnas.datasets.campaign.campaign import plan
    Protocol = None
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
digits = task("digits")
try:
    effort = fidelity("table", "digits")
    population = plan(digits, 400, kind="spread")[7:]
except TypeError:  # before protocol 4
    effort = fidelity("paper")
    population = plan(digits, 400)[7:]
for line in sys.stdin:
    genome = population[int(line)]
    start = time.process_time()
    if Protocol is None:
        row = measure(digits, genome, Hardware(), effort, 0)
    else:
        (row,) = measure(Protocol(digits, effort), genome, [Hardware()], 0)
    row["seconds"] = time.process_time() - start
    print(json.dumps({k: row[k] for k in ("seconds", "train_seconds", "drift_seconds", "accuracy_1d")}), flush=True)
"""


def _start(tree: Path) -> subprocess.Popen[str]:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    environment = {**os.environ, **threads, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-W", "ignore", "-c", MEASURE]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment
    )


def _ask(process: subprocess.Popen[str], index: int) -> dict[str, float]:
    assert process.stdin is not None
    assert process.stdout is not None
    print(index, file=process.stdin, flush=True)
    result: dict[str, float] = json.loads(process.stdout.readline())
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, help="commit to compare with")
    parser.add_argument("--n", type=int, default=12, help="architectures, spread over the first 393 of the plan (12)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {"before": [], "after": []}
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", f"{folder}/tree", arguments.before], check=True)
        try:
            processes = {"before": _start(Path(folder) / "tree"), "after": _start(ROOT)}
            for process in processes.values():
                _ask(process, 0)  # loads and compiles everything once
            for index in np.linspace(1, 392, arguments.n).astype(int):
                for name, process in processes.items():
                    rows[name].append(_ask(process, int(index)))
        finally:
            subprocess.run([*git, "remove", "--force", f"{folder}/tree"], check=True)
    result: dict[str, Any] = {
        name: {column: float(np.mean([row[column] for row in found])) for column in found[0]}
        for name, found in rows.items()
    }
    result["ratio"] = result["before"]["seconds"] / result["after"]["seconds"]
    if arguments.json:
        print(json.dumps({**result, "rows": rows}))
        return
    print(f"mean of {arguments.n} architectures of the digits plan, fidelity of tables, one core")
    for name in rows:
        r = result[name]
        print(
            f"{name:8}{r['seconds']:8.2f} s each (training {r['train_seconds']:.2f}, chips {r['drift_seconds']:.2f}), "
            f"mean 1-day accuracy {100 * r['accuracy_1d']:.1f} %"
        )
    print(f"ratio   {result['ratio']:8.2f}")


if __name__ == "__main__":
    main()
