"""All strategies at equal numbers of evaluations on every shipped table: best results and fronts.

python benchmarks/strategies.py [--evaluations 5000] [--seeds 10] [--json] [--plot FILE]

The problem of each table and chip: highest accuracy over standard deviation, with at most the table's median parameters
and at most the third quartile of its AVM. Fronts are of accuracy, parameters and AVM. Values are relative to the best
result of any strategy and seed on that table. Bayesian optimisation is slower than all others together: it runs only if
`--strategies` lists it, with a tenth of the evaluations and three seeds, and is compared with the others at the same
number of evaluations. Tables with fewer than 100 rows are excluded.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.cli.found import guessing_threshold
from ohmnas.datasets.tables.table import read_table, shipped_tables
from ohmnas.errors import InfeasibleError
from ohmnas.files import write_bytes_atomically
from ohmnas.search import Budget, Evolution, Limits, Problem, SearchResult, search
from ohmnas.search.strategies import STRATEGIES, strategy
from ohmnas.search.strategies.evolution import AS_PUBLISHED
from ohmnas.surrogate import Surrogate, TrainingSet
from ohmnas.surrogate.training_set import learnable_chips

FRONT = ("accuracy_1d", "params", "avm")
SLOW = ("bayesian",)
SHARE = 10
"""Slow strategies get the number of evaluations divided by this."""
SLOW_SEEDS = 3
FEWEST = 100
"""Smallest number of rows of a chip for a search."""
FRONT_SHARE = 4
"""Searches for fronts get the number of evaluations divided by this."""
PUBLISHED = "evolution (paper)"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", default=",".join(shipped_tables()))
    parser.add_argument("--strategies", default=",".join(name for name in STRATEGIES if name not in {"grid", *SLOW}))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", type=Path, help="PNG of the best objective over evaluations")
    arguments = parser.parse_args()
    makers: dict[str, Any] = {name: strategy(name) for name in arguments.strategies.split(",")}
    if "evolution" in makers:
        makers[PUBLISHED] = partial(Evolution, **AS_PUBLISHED)
    values, curves = {}, {}
    for table in arguments.tables.split(","):
        for chip in learnable_chips(read_table(table)):
            if len(read_table(table).select(chip)) < FEWEST:
                continue
            name = f"{table} on {chip}"
            values[name], curves[name] = _compare(
                problem_of(table, chip), makers, arguments.evaluations, arguments.seeds
            )
            if not arguments.json:
                _show(name, values[name], arguments)
    if arguments.plot:
        _plot(curves, arguments.plot)
    if arguments.json:
        print(json.dumps(values))


def problem_of(table: str, chip: str) -> Problem:
    """Problem of accuracy over spread, with limits from a table's rows and a surrogate fitted to them."""
    rows = read_table(table).select(chip)
    surrogate = Surrogate.learn(TrainingSet.of(read_table(table), chip)).model_
    limits = Limits(
        max_params=float(rows["params"].median()),
        max_macs=float(rows["macs"].max()),
        max_avm=float(rows["avm"].quantile(0.75)),
        min_params=float(rows["params"].min()),
        min_accuracy=guessing_threshold(surrogate.space.classes),
    )
    return Problem(surrogate.space, surrogate, limits)


def _compare(problem: Problem, makers: dict[str, Any], evaluations: int, seeds: int) -> tuple[dict[str, Any], Any]:
    """Name -> best value early and at the end, hypervolume, seconds; and the curves behind them."""
    early = evaluations // SHARE
    fronts = Problem(problem.space, problem.estimator, problem.limits, pareto=FRONT)
    found: dict[str, Any] = {}
    curves: dict[str, list[SearchResult | None]] = {}
    for name, make in makers.items():
        asked = early if name in SLOW else evaluations
        start = time.perf_counter()
        turns = min(seeds, SLOW_SEEDS) if name in SLOW else seeds
        runs = [_found(problem, make, seed, _budget(name, asked)) for seed in range(turns)]
        seconds = (time.perf_counter() - start) / turns
        first = runs
        first_fronts = None
        if name == "rank":  # its one sample has no history
            first = [_found(problem, make, seed, _budget(name, early)) for seed in range(seeds)]
            first_fronts = [_found(fronts, make, seed, _budget(name, early)) for seed in range(seeds)]
        asked = early if name in SLOW else evaluations // FRONT_SHARE
        several = [_found(fronts, make, seed, _budget(name, asked)) for seed in range(turns)]
        for run in (*runs, *several):
            _check(problem, run)
        curves[name] = runs
        found[name] = {
            "early": [best_after(run, early) for run in first],
            "best": None if name in SLOW else [best_after(run, evaluations) for run in runs],
            "hypervolume": None if name in SLOW else [best_after(run, evaluations, "hypervolume") for run in several],
            "hypervolume_early": [best_after(run, early, "hypervolume") for run in first_fronts or several],
            "seconds": seconds,
        }
    best = max(value for row in found.values() for value in row["best"] or row["early"])
    for row in found.values():
        for key in ("early", "best"):
            row[key] = None if row[key] is None else [value / best for value in row[key]]
    return found, curves


def _found(problem: Problem, make: Any, seed: int, budget: Budget) -> SearchResult | None:
    """Return the result of a search; None if it finds nothing feasible."""
    try:
        return search(problem, make, seed, budget)
    except InfeasibleError:
        return None


def _budget(name: str, evaluations: int) -> Budget:
    if name == "rank":
        return Budget(evaluations, 0, evaluations=evaluations)
    return Budget(iterations=evaluations // 20, evaluations=evaluations)


def best_after(run: SearchResult | None, evaluations: int, key: str = "objective") -> float:
    """Best value after this number of evaluations; 0 if nothing feasible was found by then."""
    if run is None:
        return 0.0
    values = [entry[key] for entry in run.history if entry["evaluations"] <= evaluations]
    return values[-1] if values else 0.0


def _check(problem: Problem, run: SearchResult | None) -> None:
    """Check that all returned networks meet the limits, with costs computed again."""
    if run is None:
        return
    for candidate in (run.best, *run.front):
        genome = np.array([candidate.genome], dtype=np.int16)
        assert problem.space.params(genome)[0] <= problem.limits.max_params
        assert problem.space.macs(genome)[0] <= problem.limits.max_macs
        assert candidate.predicted["avm"] <= problem.limits.max_avm


def _show(name: str, values: dict[str, Any], arguments: argparse.Namespace) -> None:
    early, late = arguments.evaluations // SHARE, arguments.evaluations
    print(f"\n{name}, {arguments.seeds} seeds: share of the best result (mean ± standard deviation)")
    front = f"hypervolume {late // FRONT_SHARE:,}"
    print(f"{'':20}{f'{early:,} evals':>16}{f'{late:,} evals':>16}{front:>20}{'seconds':>9}")
    order = sorted(values, key=lambda key: -float(np.mean(values[key]["best"] or values[key]["early"])))
    for key in order:
        row = values[key]
        print(
            f"{key:20}{_spread(row['early']):>16}{_spread(row['best']):>16}"
            f"{_spread(row['hypervolume']):>20}{row['seconds']:9.2f}"
        )


def _spread(values: list[float] | None) -> str:
    return "-" if values is None else f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def _plot(curves: dict[str, Any], path: Path) -> None:
    """One panel for each table and chip: best objective over evaluations, mean over the seeds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * min(len(curves), 3), 3.4 * -(-len(curves) // 3)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(-(-len(curves) // 3), min(len(curves), 3))).ravel()
    for panel in panels[len(curves) :]:
        panel.axis("off")
    for panel, (name, runs) in zip(panels, curves.items(), strict=False):
        end = max(run.evaluations for results in runs.values() for run in results if run)
        grid = np.unique(np.geomspace(100, end, 60).astype(int))
        for number, (strategy_name, results) in enumerate(runs.items()):
            reached = end // SHARE if strategy_name in SLOW else end
            some = grid[grid <= reached]
            mean = [np.mean([best_after(run, asked) for run in results]) for asked in some]
            style = "--" if number >= 10 else "-"
            panel.plot(some, mean, style, label=strategy_name, color=f"C{number % 10}", lw=1.3)
        panel.set(xscale="log", title=name, xlabel="evaluations", ylabel="accuracy / std")
    panels[0].legend(fontsize="x-small", frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_bytes_atomically(path, picture.getvalue())


if __name__ == "__main__":
    main()
