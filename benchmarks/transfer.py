"""Value of a few rows of a new chip, with and without rows of other chips: Kendall's tau over the number of rows.

python benchmarks/transfer.py [--table digits] [--from-table TABLE] [--rounds 6] [--json]

Each chip of the table is the new chip in turn; the other chips are known. A quarter of the new chip's architectures is
held out from the rows of all chips: no model is trained on a predicted architecture, on any chip.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import numpy as np

from ohmnas.datasets.tables.table import read_table
from ohmnas.surrogate import Surrogate, TrainingSet
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.training_set import learnable_chips
from ohmnas.targets import DEFAULT_NAMES

ROWS = (10, 20, 50, 100, 200)
HELD_OUT = 0.25


def main() -> None:
    """Print a learning curve for each chip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="digits")
    parser.add_argument("--from-table", help="table of another task, instead of the table's other chips")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # ridge penalties at the end of their range
    table = read_table(arguments.table)
    chips = {chip: TrainingSet.of(table, chip) for chip in learnable_chips(table)}
    known = chips
    if arguments.from_table:
        others = read_table(arguments.from_table)
        known = {f"{chip} there": TrainingSet.of(others, chip) for chip in learnable_chips(others)}
    results = {}
    for chip, new in chips.items():
        sources = [rows for name, rows in known.items() if name != chip]
        if sources:
            results[f"{arguments.table} on {chip}"] = _curve(new, sources, arguments.rounds)
            if not arguments.json:
                _show(f"{arguments.table} on {chip}", results[f"{arguments.table} on {chip}"])
    if arguments.json:
        print(json.dumps(results))


def _curve(new: TrainingSet, sources: list[TrainingSet], rounds: int) -> dict[str, Any]:
    """Way -> rows -> target -> mean and standard error of tau over rounds."""
    found: dict[str, dict[int, list[list[float]]]] = {"alone": {}, "with a start": {}}
    for round_ in range(rounds):
        order = np.random.default_rng(round_).permutation(len(new.population))
        held_out, rest = np.split(order, [round(HELD_OUT * len(order))])
        hidden = {genome.tobytes() for genome in new.population[held_out]}
        start = fit_source([_without(rows, hidden) for rows in sources])
        unseen = new.take(held_out)
        for count in (*(rows for rows in ROWS if rows < len(rest)), len(rest)):
            few = new.take(rest[:count])
            for way, known in (("alone", None), ("with a start", start)):
                found[way].setdefault(count, []).append(_taus(Surrogate.learn(few, source=known), unseen))
    return {
        way: {
            rows: {
                target: {"mean": float(mean), "error": float(error)}
                for target, mean, error in zip(DEFAULT_NAMES, *_spread(taus), strict=True)
            }
            for rows, taus in curve.items()
        }
        for way, curve in found.items()
    }


def _without(rows: TrainingSet, hidden: set[bytes]) -> TrainingSet:
    return rows.take(np.flatnonzero([genome.tobytes() not in hidden for genome in rows.population]))


def _taus(surrogate: Surrogate, unseen: TrainingSet) -> list[float]:
    predicted = surrogate.estimate(unseen.population)
    guesses = (surrogate.rank_scores(unseen.population), predicted["accuracy_1d_std"], predicted["avm"])
    return [kendall_tau(unseen.labels[target], guess) for target, guess in zip(DEFAULT_NAMES, guesses, strict=True)]


def _spread(taus: list[list[float]]) -> tuple[Any, Any]:
    values = np.array(taus)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _show(title: str, ways: dict[str, Any]) -> None:
    print(f"\n{title}")
    print(" " * 18 + "".join(f"{'tau of ' + target:>25}" for target in DEFAULT_NAMES))
    for way, curve in ways.items():
        for rows, targets in curve.items():
            cells = "".join(
                f"{targets[target]['mean']:18.3f} ±{targets[target]['error']:.3f}" for target in DEFAULT_NAMES
            )
            print(f"{way:13}{rows:5}{cells}", flush=True)


if __name__ == "__main__":
    main()
