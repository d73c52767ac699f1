"""Found networks at three budgets, trained and measured next to the reference network of each budget.

python benchmarks/budgets.py [--tasks digits] [--budgets 20k,50k,80k] [--method search] [--objective ratio]
    [--max-avm 0.02] [--seeds 5] [--chips 25] [--out found] [--save docs/results/budgets.json] [--json]
python benchmarks/budgets.py --tables [docs/results/budgets.json]

Runs `ohmnas search` (or `ohmnas refine`) and `ohmnas verify` (several training runs each, official test set) for each
task and budget. Results that exist in OUT with the same settings are not measured again. Diverged training runs are
excluded from means. Found and reference networks are compared by a paired t-test over training runs with the same seeds
and images, with Holm's correction over the budgets of a task.

`--save` adds the measured values to a JSON file: a list of {"task", "budget", "fidelity", "found", "reference"}. Each
network has `params` and, for each training run, `accuracy_1d`, `accuracy_1d_std` and `avm`, which are null if the
training diverged. A reference also has its `name`. `--tables` prints the tables of the docs from this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.cli.arguments import size
from ohmnas.datasets.campaign.paired import Difference, difference, holm
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS
from ohmnas.files import write_atomically

COLUMNS = ("accuracy_1d", "accuracy_1d_std", "avm")
FURTHER = ("accuracy_1mo", "spread_flips", "spread_read", "spread_chip")
"""Columns that are also saved if they were measured."""
DATA = Path("docs/results/budgets.json")
ASKED = "asked.json"
"""File in a result folder with the limits of its search."""
LEVEL = 0.05
"""Significance level, after correction."""


def main() -> None:
    """Search, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="digits")
    parser.add_argument("--budgets", default="20k,50k,80k", help="parameters")
    parser.add_argument("--method", default="search", choices=("search", "refine"))
    parser.add_argument("--objective", default="ratio", help="as in the commands, such as accuracy")
    parser.add_argument("--max-avm", default="0.02", help="none for no limit but the reference network's")
    parser.add_argument("--fidelity", default="table")
    parser.add_argument("--seeds", type=int, default=5, help="training runs of each network")
    parser.add_argument("--chips", default="25", help="simulated chips of each training run")
    parser.add_argument("--jobs", default="2", help="training runs at a time")
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--save", type=Path, nargs="?", const=DATA, help="JSON file to add the values to")
    parser.add_argument("--tables", type=Path, nargs="?", const=DATA, help="print tables of this file; measure nothing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.tables is not None:
        if not arguments.tables.exists():
            sys.exit(f"{arguments.tables} does not exist: measure some budgets with --save first")
        print(tables(json.loads(arguments.tables.read_text("utf-8"))))
        return
    values: dict[str, Any] = {}
    rows = []
    for task in arguments.tasks.split(","):
        for budget in arguments.budgets.split(","):
            folder = _measured(task, budget, arguments)
            networks = read(folder / "verify.json")["networks"]
            values[f"{task}, {budget}"] = networks
            rows.append(entry(task, budget, arguments.fidelity, networks))
            if arguments.save is not None:
                save(arguments.save, rows[-1])
            if not arguments.json:
                _show(f"{task}, at most {budget} parameters", networks)
    if arguments.json:
        print(json.dumps(values))
    else:
        print(f"\n{tables(rows)}")


def _measured(task: str, budget: str, arguments: argparse.Namespace) -> Path:
    """Run the search and the verification if they are missing; return the folder."""
    folder = arguments.out / f"{task}-{budget}"
    asked = {"max_params": size(budget), "max_avm": arguments.max_avm, "method": arguments.method}
    if arguments.objective != "ratio":  # the default is not noted, so earlier results stay valid
        asked["objective"] = arguments.objective
    if read(folder / ASKED) != asked or not (folder / "result.json").exists():
        limits = ["--max-params", budget, "--objective", arguments.objective]
        limits += [] if arguments.max_avm == "none" else ["--max-avm", arguments.max_avm]
        if arguments.method == "refine":
            limits += ["--store", str(arguments.out / f"{task}.sqlite"), "--fidelity", arguments.fidelity]
            limits += ["--jobs", arguments.jobs]
        run_ohmnas(arguments.method, "--task", task, *limits, "--out", str(folder))
        write_atomically(folder / ASKED, json.dumps(asked) + "\n")
    if not verified(folder, 1, arguments.seeds, {"fidelity": arguments.fidelity, "chips": int(arguments.chips)}):
        effort = ["--fidelity", arguments.fidelity, "--chips", arguments.chips, "--jobs", arguments.jobs]
        effort += ["--seeds", str(arguments.seeds)]
        run_ohmnas("verify", str(folder / "result.json"), "--task", task, *effort)
    return Path(folder)


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file; empty if it does not exist."""
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def searched(folder: Path, asked: dict[str, Any]) -> bool:
    """Return True if a stored search had these limits and bounds on genes."""
    had = read(folder / "result.json").get("constraints", {})
    had = {**had, **had.get("genes", {})}
    return all(had.get(name) == value for name, value in asked.items())


def verified(folder: Path, references: int, trainings: int, how: dict[str, Any]) -> bool:
    """Return True if the stored search was verified with this many training runs and references."""
    result, stored = read(folder / "result.json"), read(folder / "verify.json")
    known = {"found": result["best"], **{one["name"]: one for one in result["references"][:references]}}
    genomes, measured = (
        {name: network["genome"] for name, network in networks.items()}
        for networks in (known, stored.get("networks", {}))
    )
    how = {"seeds": [VERIFICATION_SEEDS + training for training in range(trainings)], **how}
    return genomes == measured and all(stored.get(name) == value for name, value in how.items())


def run_ohmnas(*words: str) -> None:
    """Run a command, silent unless it fails."""
    command = [sys.executable, "-c", "import sys; from ohmnas.cli.main import main; sys.exit(main())", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def entry(task: str, budget: str, fidelity: str, networks: dict[str, Any]) -> dict[str, Any]:
    """Values of one budget, as saved."""
    found, (name, reference) = networks["found"], next(item for item in networks.items() if item[0] != "found")
    return {
        "task": task,
        "budget": budget,
        "fidelity": fidelity,
        "found": _values(found),
        "reference": {"name": name, **_values(reference)},
    }


def _values(network: dict[str, Any]) -> dict[str, Any]:
    measured = network["measured"]
    further = [column for column in FURTHER if any(value is not None for value in measured.get(column, []))]
    return {"params": network["params"], **{column: measured[column] for column in (*COLUMNS, *further)}}


def save(path: Path, row: dict[str, Any]) -> None:
    """Add the values of one budget to a file, in place of earlier ones of the same task, budget and fidelity."""
    rows = json.loads(path.read_text("utf-8")) if path.exists() else []
    rows = [other for other in rows if _key(other) != _key(row)] + [row]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(sorted(rows, key=_order), indent=1) + "\n")


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["task"], row["fidelity"], row["budget"]


def _order(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["task"], row["fidelity"], size(row["budget"])


def tables(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: for each task and fidelity, one line for each budget.

    A cell has found, reference, and the difference with its 95 % interval. `*`: the corrected p value is below 5 %.
    """
    parts = []
    for task, fidelity in dict.fromkeys((row["task"], row["fidelity"]) for row in rows):
        mine = sorted((row for row in rows if (row["task"], row["fidelity"]) == (task, fidelity)), key=_order)
        changes = {column: [difference(*_pair(row, column)) for row in mine] for column in COLUMNS}
        stars = {column: _significant(each) for column, each in changes.items()}
        trainings = sorted({len(row["found"]["accuracy_1d"]) for row in mine})
        counts = " or ".join(map(str, trainings))
        parts.append(f"{task}, fidelity `{fidelity}`, {counts} training runs of each network:\n")
        parts.append("| parameters | reference | 1-day accuracy, % | std, % | AVM, points |")
        parts.append("|---|---|---|---|---|")
        for place, row in enumerate(mine):
            cells = [_cell(row, column, changes[column][place], stars[column][place]) for column in COLUMNS]
            names = [f"at most {row['budget']}", f"`{row['reference']['name']}`"]
            parts.append(f"| {' | '.join([*names, *cells])} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def _pair(row: dict[str, Any], column: str) -> tuple[list[float | None], list[float | None]]:
    """Values of training runs that both networks have."""
    first, second = row["found"][column], row["reference"][column]
    pairs = min(len(first), len(second))
    return first[:pairs], second[:pairs]


def _significant(changes: Sequence[Difference | None]) -> list[bool]:
    """True for each difference that is significant after Holm's correction over the budgets."""
    known = [place for place, each in enumerate(changes) if each is not None and each.p is not None]
    p_values = [each.p for each in changes if each is not None and each.p is not None]
    corrected = dict(zip(known, holm(p_values), strict=True))
    return [corrected.get(place, 1.0) < LEVEL for place in range(len(changes))]


def _cell(row: dict[str, Any], column: str, change: Difference | None, significant: bool) -> str:
    """``97.74 / 97.13, +0.61 (+0.18 to +1.04)*``: found, reference, difference and its interval."""
    found, reference = (_number(row[who][column]) for who in ("found", "reference"))
    if change is None:
        return f"{found} / {reference}"
    text = f"{found} / {reference}, {100 * change.mean:+.2f}"
    if change.low is not None and change.high is not None:
        text += f" ({100 * change.low:+.2f} to {100 * change.high:+.2f})"
    return text + ("*" if significant else "")


def _number(values: Sequence[float | None]) -> str:
    known = [100.0 * value for value in values if value is not None]
    return f"{np.mean(known):.2f}" if known else "-"


def _show(title: str, networks: dict[str, Any]) -> None:
    """Print means over the training runs with their standard errors."""
    print(f"\n{title}")
    headings = (
        f"{'predicted %':>12}{'measured %':>16}{'std':>7}{'AVM':>15}{'accuracy/std':>14}{'params':>9}{'MACs':>12}"
    )
    print(f"{'':14}{headings}")
    for name, network in networks.items():
        print(
            f"{name:14}{100 * network['predicted']['accuracy_1d']:12.2f}{measured_cells(network)}"
            f"{network['params']:9,}{network['macs']:12,}"
        )
    print_reasons(networks)


def measured_cells(network: dict[str, Any]) -> str:
    """Accuracy, std, AVM and accuracy/std, over the training runs that did not diverge."""
    accuracy, std, avm = (
        100 * np.array([value for value in network["measured"][column] if value is not None]) for column in COLUMNS
    )
    if not len(accuracy):
        return f"{'-':>16}{'-':>7}{'-':>15}{'-':>14}"
    return f"{_mean(accuracy):>16}{std.mean():7.2f}{_mean(avm):>15}{np.mean(accuracy / std):14.0f}"


def print_reasons(networks: dict[str, Any]) -> None:
    """Print why training runs diverged or were stopped early."""
    for name, network in networks.items():
        for training, reason in enumerate(network.get("reasons", []), 1):
            if reason:
                print(f"{name}, training {training}: {reason}")


def _mean(values: npt.NDArray[np.float64]) -> str:
    """Mean with its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.2f} ± {error:.2f}"


if __name__ == "__main__":
    main()
