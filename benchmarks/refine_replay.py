"""Refinement compared with a single search and with random selection, replayed on a measured table.

python benchmarks/refine_replay.py [--table digits] [--max-params 50k] [--rows 60] [--first 20] [--each 10]
    [--best 0.5] [--uncertain 0.25] [--seeds 10] [--jobs 2] [--shrinkage] [--json]

Each way may only choose networks of the table; to measure a network is to look up its row. The regret is the accuracy
of the best network within the limit minus the accuracy of the returned network, in percentage points: once by the
table's labels, once by labels that are shrunk towards held-out predictions (`ohmnas.refine.shrinkage`), because the
best label of a table is also optimistic.

- `refine`: FIRST rows at random, then batches of EACH chosen by `ohmnas.refine.batch` until there are ROWS rows. It
  returns the best measured network by its shrunk value.
- `one search, N rows`: N rows at random, one surrogate; it returns the best predicted network.
- `one search and its rows, N rows`: the same, but the found network is measured, and the best measured network among it
  and the N rows is returned.
- `random, N rows`: it returns the network with the best label of N rows at random.

`--shrinkage` compares estimates of a second training run instead: for networks that the table has twice, the first
training run is the measurement, and the root mean squared distance to the second training run is the error.
"""

from __future__ import annotations

import argparse
import json
import warnings
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.cli.arguments import size
from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.refine.batch import LEADERS, Split, choose
from ohmnas.refine.run import stand
from ohmnas.refine.shrinkage import shrink, shrunk_labels
from ohmnas.search import Limits, Problem
from ohmnas.search.objectives import objective
from ohmnas.surrogate import Surrogate, TrainingSet
from ohmnas.threads import one_blas_thread

ONE_SEARCH = 300
"""Rows of the larger search."""
UPPER = 0.6
"""Quantile of the accuracy above which a network counts as good."""
HALVES = 50
"""Number of random splits of the repeated networks: one half sets the noise, the other is evaluated."""
Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Replay:
    """A table whose rows are looked up on request."""

    table: MeasuredTable
    data: TrainingSet
    max_params: float

    def problem(self, data: TrainingSet) -> Problem:
        """Problem of the most accurate network within the limit, with a surrogate of these rows."""
        limits = Limits(max_params=self.max_params)
        return Problem(data.space, Surrogate.learn(data).model_, limits, objective("accuracy"))

    @property
    def pool(self) -> Rows:
        """Rows within the limit."""
        return np.flatnonzero(self.data.space.params(self.data.population) <= self.max_params)

    @property
    def labels(self) -> Values:
        """Accuracies of all rows."""
        return self.data.labels["accuracy_1d"]

    def refine(self, seed: int, rows: int, first: int, each: int, split: Split) -> int:
        """Row that a refinement returns."""
        known = np.random.default_rng(seed).permutation(self.pool)[:first]
        while True:
            data = self.data.take(np.sort(known))
            standing = stand(data, self.rows_of(data), self.problem, above_reference=False)
            if len(known) >= rows:
                return self._row(standing.leaders[0])
            left = np.setdiff1d(self.pool, known)
            population = self.data.population[left]
            problem, leaders = standing.surrogate_problem, standing.leaders[:LEADERS]
            evaluation = problem.evaluate(population)
            k = min(each, rows - len(known))
            chosen = choose(problem, population, evaluation, data.population, leaders, k, split)
            known = np.concatenate([known, left[[row for row, _ in chosen]]])

    def one_search(self, seed: int, rows: int) -> tuple[int, int]:
        """Row that a search returns, and the best measured row among it and the training rows."""
        known = np.random.default_rng(seed).permutation(self.pool)[:rows]
        evaluation = self.problem(self.data.take(known)).evaluate(self.data.population[self.pool])
        found = int(self.pool[evaluation.order()[0]])
        return found, int(max((*known, found), key=lambda row: self.labels[row]))

    def random(self, seed: int, rows: int) -> int:
        """Row with the best label among random rows."""
        known = np.random.default_rng(seed).permutation(self.pool)[:rows]
        return int(known[np.argmax(self.labels[known])])

    def rows_of(self, data: TrainingSet) -> pd.DataFrame:
        """All rows of these networks in the table, with repeats."""
        names = list(data.space.gene_names)
        kept = pd.DataFrame(data.population.astype(np.int64), columns=names)
        return self.table.select(str(data.provenance["hardware"])).merge(kept, on=names)

    def _row(self, genome: npt.NDArray[np.int16]) -> int:
        return int(np.flatnonzero((self.data.population == genome).all(axis=1))[0])


def main() -> None:
    """Replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="digits")
    parser.add_argument("--hardware")
    parser.add_argument("--max-params", default="50k")
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--first", type=int, default=20)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--best", type=float, default=0.5, help="share of best predictions in a batch")
    parser.add_argument("--uncertain", type=float, default=0.25, help="share of uncertain candidates")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-refine", action="store_true", help="run the refinement only")
    parser.add_argument("--shrinkage", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    table = read_table(arguments.table)
    replay = Replay(table, TrainingSet.of(table, arguments.hardware), size(arguments.max_params))
    if arguments.shrinkage:
        _print_shrinkage(shrinkage(replay), arguments.json)
        return
    with one_blas_thread():
        truth = shrunk_labels(
            replay.data, replay.rows_of(replay.data), lambda data: replay.problem(data).estimator, seed=0
        ).expected["accuracy_1d"]
    ways = _ways(replay, arguments)
    found = {way: joblib.Parallel(n_jobs=arguments.jobs)(calls) for way, calls in ways.items()}
    results = {
        way: {
            "label": _summary(_regret(replay, replay.labels, rows)),
            "shrunk": _summary(_regret(replay, truth, rows)),
        }
        for way, rows in _flat(found).items()
    }
    if arguments.json:
        print(json.dumps(results))
        return
    print(
        f"{arguments.table} on {replay.data.provenance['hardware']}, at most {arguments.max_params} parameters: "
        f"{len(replay.pool)} networks, {arguments.seeds} seeds; batches of {arguments.each}, shares "
        f"{arguments.best:g} best, {arguments.uncertain:g} uncertain"
    )
    print(f"{'regret in points':38}{'by label':>16}{'by shrunk label':>18}")
    for way, each in results.items():
        print(f"{way:38}{_cell(each['label']):>16}{_cell(each['shrunk']):>18}")


def _ways(replay: Replay, arguments: argparse.Namespace) -> dict[str, list[Any]]:
    """Way -> calls, one for each seed."""
    split, seeds, rows = Split(arguments.best, arguments.uncertain), range(arguments.seeds), arguments.rows
    effort = (rows, arguments.first, arguments.each, split)
    ways = {f"refine, {rows} rows": [joblib.delayed(replay.refine)(seed, *effort) for seed in seeds]}
    if arguments.only_refine:
        return ways
    for n in (rows, ONE_SEARCH):
        ways[f"one search, {n} rows"] = [joblib.delayed(replay.one_search)(seed, n) for seed in seeds]
    for n in (rows, ONE_SEARCH):
        ways[f"random, {n} rows"] = [joblib.delayed(replay.random)(seed, n) for seed in seeds]
    return ways


def _flat(found: dict[str, list[Any]]) -> dict[str, list[int]]:
    """Split a way that returns two rows into two ways."""
    flat = {}
    for way, rows in found.items():
        if isinstance(rows[0], tuple):
            flat[way] = [first for first, _ in rows]
            flat[way.replace("one search", "one search and its rows")] = [second for _, second in rows]
        else:
            flat[way] = rows
    return flat


def _regret(replay: Replay, truth: Values, rows: list[int]) -> Values:
    """Regret in percentage points."""
    regret: Values = 100.0 * (truth[replay.pool].max() - truth[rows])
    return regret


def _summary(values: Values) -> dict[str, float]:
    """Mean and standard error over the seeds."""
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return {"mean": float(values.mean()), "error": error}


def _cell(summary: dict[str, float]) -> str:
    return f"{summary['mean']:.2f} ± {summary['error']:.2f}"


def shrinkage(replay: Replay) -> dict[str, dict[str, float]]:
    """Group of networks -> estimate -> root mean squared distance to a second training run, in points."""
    hardware = str(replay.data.provenance["hardware"])
    frame = replay.table.select(hardware)
    first = frame[frame["seed"] == frame["seed"].min()]
    data = TrainingSet.of(MeasuredTable(first, replay.table.card, replay.table.source), hardware)
    shrunk = shrunk_labels(data, first, lambda some: replay.problem(some).estimator, seed=0)
    second = (
        pd.DataFrame(data.population.astype(np.int64), columns=list(data.space.gene_names))
        .merge(frame[frame["seed"] != frame["seed"].min()], on=list(data.space.gene_names), how="left")["accuracy_1d"]
        .to_numpy(np.float64)
    )
    twice = np.flatnonzero(np.isfinite(second))
    measured, predicted = shrunk.measured["accuracy_1d"], shrunk.predicted["accuracy_1d"]
    good = measured >= np.quantile(measured, UPPER)
    squares: dict[str, dict[str, list[float]]] = {}
    for half in range(HALVES):
        drawn = np.random.default_rng(half).permutation(twice)
        noise, judged = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
        within = np.full(shrunk.measured.values.shape, np.nan)
        within[noise, 0] = (measured[noise] - second[noise]) ** 2 / 2.0
        trainings = shrunk.trainings.copy()
        trainings[noise] = 2  # so the pair sets the noise; these networks are not evaluated
        estimate = shrink(data.population, trainings, shrunk.measured, shrunk.predicted, within, data.scales.std_floor)
        ways = {"measured": measured, "held out": predicted, "shrunk": estimate.expected["accuracy_1d"]}
        for name, some in (("all networks", judged), ("best 40 %", judged[good[judged]])):
            for way, values in ways.items():
                distances = np.square(values[some] - second[some])
                squares.setdefault(name, {}).setdefault(way, []).append(float(distances.mean()))
    return {
        name: {way: 100.0 * float(np.sqrt(np.mean(means))) for way, means in ways.items()}
        for name, ways in squares.items()
    }


def _print_shrinkage(results: dict[str, dict[str, float]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(results))
        return
    print(
        f"{'distance to a second run, points':40}" + "".join(f"{way:>12}" for way in ("measured", "held out", "shrunk"))
    )
    for name, ways in results.items():
        print(f"{name:40}" + "".join(f"{value:12.2f}" for value in ways.values()))


if __name__ == "__main__":
    main()
