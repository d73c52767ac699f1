"""What searches find at three budgets, trained and drifted for real beside the reference of each budget.

python benchmarks/budgets.py [--tasks digits] [--budgets 20k,50k,80k] [--chips 25] [--out found] [--json]

Runs `ohmnas search` and `ohmnas verify` (three trainings each, the official test set) for each task and budget; what
stands in OUT already, measured so, is not measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = ("accuracy_1d", "accuracy_1d_std", "avm")


def main() -> None:
    """Search, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="digits")
    parser.add_argument("--budgets", default="20k,50k,80k", help="parameters")
    parser.add_argument("--max-avm", default="0.02")
    parser.add_argument("--fidelity", default="paper")
    parser.add_argument("--chips", default="25", help="of each training")
    parser.add_argument("--jobs", default="2", help="trainings at a time")
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    values: dict[str, Any] = {}
    for task in arguments.tasks.split(","):
        for budget in arguments.budgets.split(","):
            folder = arguments.out / f"{task}-{budget}"
            limits = ["--max-params", budget, "--max-avm", arguments.max_avm]
            if not (folder / "result.json").exists():
                run_ohmnas("search", "--task", task, *limits, "--out", str(folder))
            if not verified(folder / "verify.json", arguments.fidelity, int(arguments.chips)):
                effort = ["--fidelity", arguments.fidelity, "--chips", arguments.chips, "--jobs", arguments.jobs]
                run_ohmnas("verify", str(folder / "result.json"), "--task", task, *effort)
            networks = json.loads((folder / "verify.json").read_text("utf-8"))["networks"]
            values[f"{task}, {budget}"] = networks
            if not arguments.json:
                _show(f"{task}, at most {budget} parameters", networks)
    if arguments.json:
        print(json.dumps(values))


def verified(path: Path, fidelity: str, chips: int) -> bool:
    """Whether what stands there was measured so."""
    values = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return (values.get("fidelity"), values.get("chips")) == (fidelity, chips)


def run_ohmnas(*words: str) -> None:
    """Run a command, silent unless it fails."""
    command = [sys.executable, "-c", "import sys; from ohmnas.cli.main import main; sys.exit(main())", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _show(title: str, networks: dict[str, Any]) -> None:
    """Means over the trainings, and their standard error."""
    print(f"\n{title}")
    heads = f"{'predicted %':>12}{'measured %':>16}{'std':>7}{'AVM':>15}{'accuracy/std':>14}{'params':>9}{'MACs':>12}"
    print(f"{'':14}{heads}")
    for name, network in networks.items():
        measured = network["measured"]
        accuracy, std, avm = (100 * np.array(measured[column]) for column in COLUMNS)
        print(
            f"{name:14}{100 * network['predicted']['accuracy_1d']:12.2f}{mean(accuracy):>16}{std.mean():7.2f}"
            f"{mean(avm):>15}{np.mean(accuracy / std):14.0f}{network['params']:9,}{network['macs']:12,}"
        )


def mean(values: np.ndarray) -> str:
    """With its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
