"""Choose a sub-space first, or search the whole space: the best results at equal numbers of predictions.

python benchmarks/subspaces.py [--tables digits,cifar10] [--evaluations 2000] [--seeds 10] [--json]

For each table and each limit on parameters (the quartiles of its rows), evolution searches the whole space, or the best
of 100 sub-spaces by each criterion of `ohmnas search --choose-space`. Predictions that choose the sub-space count. Each
search returns its best predicted accuracy over standard deviation. The printed value divides it by the result of the
search of the whole space with the same seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ohmnas.cli.found import guessing_threshold
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InfeasibleError
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.subspace_names import CRITERIA
from ohmnas.search.subspaces import compare_subspaces
from ohmnas.surrogate.shipped import shipped_surrogate

QUARTILES: Final = (0.25, 0.5, 0.75)
"""Limits on parameters, as quantiles of the table's rows."""
GENERATION: Final = 50
"""Offspring per generation."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="digits,cifar10")
    parser.add_argument("--evaluations", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [
        _compare(table, quartile, arguments.evaluations, arguments.seeds)
        for table in arguments.tables.split(",")
        for quartile in QUARTILES
    ]
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"best accuracy_1d / std relative to a search of the whole space, {arguments.evaluations:,} predictions,")
    print(f"mean of {arguments.seeds} seeds +- standard error")
    print(f"{'table':14}{'parameters':>12}{'whole':>8}" + "".join(f"{name:>18}" for name in CRITERIA))
    for row in rows:
        ratios = "".join(f"{_ratio(row[name], row['whole']):>18}" for name in CRITERIA)
        print(f"{row['table']:14}{row['max_params']:>12,.0f}{np.mean(row['whole']):>8.1f}{ratios}")


def _problem(table: str, quartile: float) -> Problem:
    surrogate = shipped_surrogate(table)
    if surrogate is None:
        sys.exit(f"no surrogate is shipped for the table {table}")
    rows = read_table(table).select(str(surrogate.provenance["hardware"]))
    limits = Limits(
        max_params=float(rows["params"].quantile(quartile)),
        max_macs=float(rows["macs"].max()),
        min_params=float(rows["params"].min()),
        min_accuracy=guessing_threshold(surrogate.space.classes),
    )
    return Problem(surrogate.space, surrogate, limits)


def _compare(table: str, quartile: float, evaluations: int, seeds: int) -> dict[str, Any]:
    """Name of the search -> best objective of each seed."""
    problem = _problem(table, quartile)
    found: dict[str, Any] = {"table": table, "max_params": problem.limits.max_params}
    found["whole"] = [_best(problem, seed, evaluations) for seed in range(seeds)]
    for criterion in CRITERIA:
        found[criterion] = [_best_of_part(problem, criterion, seed, evaluations) for seed in range(seeds)]
    return found


def _best_of_part(problem: Problem, criterion: str, seed: int, evaluations: int) -> float:
    try:
        ranked, asked = compare_subspaces(problem, np.random.default_rng([seed, 2]), criterion)
    except InfeasibleError:
        return _best(problem, seed, evaluations)
    return _best(replace(problem, within=ranked[0].bounds), seed, evaluations - asked)


def _best(problem: Problem, seed: int, evaluations: int) -> float:
    """Best objective of a search; 0 if it finds nothing within the limits."""
    budget = Budget(GENERATION, evaluations // GENERATION, evaluations=evaluations)
    try:
        return float(search(problem, "evolution", seed, budget).history[-1]["objective"])
    except InfeasibleError:
        return 0.0


def _ratio(values: list[float], whole: list[float]) -> str:
    ratios = np.array(values) / np.array(whole)
    return f"{ratios.mean():.3f} +- {ratios.std(ddof=1) / len(ratios) ** 0.5:.3f}"


if __name__ == "__main__":
    main()
