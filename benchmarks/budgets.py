"""Search results at three budgets, trained and measured next to the reference network of each budget.

python benchmarks/budgets.py [--tasks digits] [--budgets 20k,50k,80k] [--seeds 3] [--chips 25] [--out found] [--json]

Runs `ohmnas search` and `ohmnas verify` (several trainings each, official test set) for each task and budget. Results
that exist in OUT with the same settings are not measured again. Diverged trainings are excluded from means.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.cli.arguments import size
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS

COLUMNS = ("accuracy_1d", "accuracy_1d_std", "avm")


def main() -> None:
    """Search, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="digits")
    parser.add_argument("--budgets", default="20k,50k,80k", help="parameters")
    parser.add_argument("--max-avm", default="0.02")
    parser.add_argument("--fidelity", default="table")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    parser.add_argument("--chips", default="25", help="of each training")
    parser.add_argument("--jobs", default="2", help="trainings at a time")
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    values: dict[str, Any] = {}
    for task in arguments.tasks.split(","):
        for budget in arguments.budgets.split(","):
            folder = arguments.out / f"{task}-{budget}"
            if not searched(folder, {"max_params": size(budget), "max_avm": float(arguments.max_avm)}):
                limits = ["--max-params", budget, "--max-avm", arguments.max_avm]
                run_ohmnas("search", "--task", task, *limits, "--out", str(folder))
            if not verified(
                folder, 1, arguments.seeds, {"fidelity": arguments.fidelity, "chips": int(arguments.chips)}
            ):
                effort = ["--fidelity", arguments.fidelity, "--chips", arguments.chips, "--jobs", arguments.jobs]
                effort += ["--seeds", str(arguments.seeds)]
                run_ohmnas("verify", str(folder / "result.json"), "--task", task, *effort)
            networks = read(folder / "verify.json")["networks"]
            values[f"{task}, {budget}"] = networks
            if not arguments.json:
                _show(f"{task}, at most {budget} parameters", networks)
    if arguments.json:
        print(json.dumps(values))


def read(path: Path) -> dict[str, Any]:
    """A file of JSON; empty if there is none."""
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def searched(folder: Path, asked: dict[str, Any]) -> bool:
    """Return True if a stored search had these limits and bounds on genes."""
    had = read(folder / "result.json").get("constraints", {})
    had = {**had, **had.get("genes", {})}
    return all(had.get(name) == value for name, value in asked.items())


def verified(folder: Path, references: int, trainings: int, how: dict[str, Any]) -> bool:
    """Return True if the stored search was verified with this many trainings and references."""
    result, there = read(folder / "result.json"), read(folder / "verify.json")
    known = {"found": result["best"], **{one["name"]: one for one in result["references"][:references]}}
    genomes, measured = (
        {name: network["genome"] for name, network in networks.items()}
        for networks in (known, there.get("networks", {}))
    )
    how = {"seeds": [VERIFICATION_SEEDS + training for training in range(trainings)], **how}
    return genomes == measured and all(there.get(name) == value for name, value in how.items())


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
        print(
            f"{name:14}{100 * network['predicted']['accuracy_1d']:12.2f}{measured_cells(network)}"
            f"{network['params']:9,}{network['macs']:12,}"
        )
    print_reasons(networks)


def measured_cells(network: dict[str, Any]) -> str:
    """Accuracy, std, AVM and their quotient, of the trainings that did not diverge."""
    accuracy, std, avm = (
        100 * np.array([value for value in network["measured"][column] if value is not None]) for column in COLUMNS
    )
    if not len(accuracy):
        return f"{'-':>16}{'-':>7}{'-':>15}{'-':>14}"
    return f"{_mean(accuracy):>16}{std.mean():7.2f}{_mean(avm):>15}{np.mean(accuracy / std):14.0f}"


def print_reasons(networks: dict[str, Any]) -> None:
    """Of the trainings that diverged or were given up."""
    for name, network in networks.items():
        for training, reason in enumerate(network.get("reasons", []), 1):
            if reason:
                print(f"{name}, training {training}: {reason}")


def _mean(values: npt.NDArray[np.float64]) -> str:
    """With its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
