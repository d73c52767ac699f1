"""Active selection of architectures compared with random selection, replayed on a measured table.

python benchmarks/active.py [--table digits] [--hardware pcm] [--rounds 10] [--json]

Both selections start with the same 40 architectures and add 20 at a time from the table. Active selection takes up to
10 of them near the predicted Pareto front (`surrogate.active.promising`, as in `ohmnas campaign --choose active`). Both
surrogates predict the same held-out quarter. "tau upper" is Kendall's tau over the held-out architectures in the upper
40 % by accuracy, from which a search chooses; "best" is the best measured accuracy.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tables.table import read_table
from ohmnas.surrogate import Surrogate, SurrogateModel, TrainingSet
from ohmnas.surrogate.active import promising
from ohmnas.surrogate.metrics import kendall_tau, precision_at
from ohmnas.targets import DEFAULT_NAMES

FIRST, BATCH, MOST = 40, 20, 200
HELD_OUT, UPPER = 0.25, 0.6
MEASURES = ("tau acc.", "tau std", "tau AVM", "tau upper", "prec. 10 %", "best")
SHOWN = 40
"""Number of rows between two printed lines."""
Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]


def main() -> None:
    """Print both selections at equal numbers of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="digits")
    parser.add_argument("--hardware")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    data = TrainingSet.of(read_table(arguments.table), arguments.hardware)
    found: dict[str, dict[int, list[list[float]]]] = {"random": {}, "active": {}}
    for round_ in range(arguments.rounds):
        order = np.random.default_rng(round_).permutation(len(data.population))
        held_out, rest = np.split(order, [round(HELD_OUT * len(order))])
        for way, curve in found.items():
            for rows, surrogate in _replay(data, rest, way == "active"):
                curve.setdefault(len(rows), []).append(_measures(surrogate, data, held_out, rows))
    curves = {way: {rows: np.array(each) for rows, each in curve.items()} for way, curve in found.items()}
    curves["gain"] = {rows: curves["active"][rows] - each for rows, each in curves["random"].items()}
    results = {way: _summary(curve) for way, curve in curves.items()}
    if arguments.json:
        print(json.dumps(results))
        return
    print(f"{arguments.table} on {data.provenance['hardware']}, {arguments.rounds} rounds; gain: active minus random")
    print(" " * 12 + "".join(f"{name:>15}" for name in MEASURES))
    for way, summary in results.items():
        for rows, measures in summary.items():
            if (rows - FIRST) % SHOWN == 0:
                cells = (measures[name] for name in MEASURES)
                print(f"{way:8}{rows:4}" + "".join(f"{cell['mean']:8.3f} ±{cell['error']:.3f}" for cell in cells))


def _summary(curve: dict[int, Values]) -> dict[int, dict[str, dict[str, float]]]:
    """Rows -> measure -> mean and standard error over the rounds."""
    return {
        rows: {
            name: {"mean": float(column.mean()), "error": float(column.std(ddof=1) / np.sqrt(len(column)))}
            for name, column in zip(MEASURES, measured.T, strict=True)
        }
        for rows, measured in curve.items()
    }


def _replay(data: TrainingSet, pool: Rows, active: bool) -> Any:
    """Yield the known rows and their surrogate after each batch; the pool is in the order of the plan."""
    rows, left = pool[:FIRST], pool[FIRST:]
    while True:
        surrogate = Surrogate.learn(data.take(rows)).model_
        yield rows, surrogate
        if len(rows) >= min(MOST, len(pool) - BATCH):
            return
        selected = left[:0]
        if active:
            chosen = promising(surrogate, data.population[left], data.population[rows], BATCH // 2)
            selected = left[chosen]
            left = np.delete(left, chosen)
        rows, left = np.concatenate([rows, selected, left[: BATCH - len(selected)]]), left[BATCH - len(selected) :]


def _measures(surrogate: SurrogateModel, data: TrainingSet, held_out: Rows, rows: Rows) -> list[float]:
    unseen = data.population[held_out]
    predicted, scores = surrogate.estimate(unseen), surrogate.rank_scores(unseen)
    truth = {target: data.labels[target][held_out] for target in DEFAULT_NAMES}
    accuracy = truth[DEFAULT_NAMES[0]]
    upper = accuracy >= np.quantile(accuracy, UPPER)
    return [
        kendall_tau(accuracy, scores),
        kendall_tau(truth[DEFAULT_NAMES[1]], predicted["accuracy_1d_std"]),
        kendall_tau(truth[DEFAULT_NAMES[2]], predicted["avm"]),
        kendall_tau(accuracy[upper], scores[upper]),
        precision_at(0.1, accuracy, scores),
        float(data.labels[DEFAULT_NAMES[0]][rows].max()),
    ]


if __name__ == "__main__":
    main()
