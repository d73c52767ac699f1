"""Learning curves: prediction of a training run's end from its first epochs, and time saved by early stopping.

python benchmarks/curves.py [--table digits-protocol4] [--part tau|error|stopping] [--rounds 2]
    [--campaigns 200] [--networks 50] [--criteria accuracy,loss,process] [--json]

Nothing is trained: the rows of a table keep their curves.

1. Kendall's tau with the labels of held-out networks, after 1/8, 1/4 and 1/2 of the epochs: mean and standard error
   over the folds of a five-fold cross-validation, repeated ROUNDS times. All ways share the folds. Small standard
   deviations and AVMs are good, so the ways that only rank by accuracy rank these in reverse.
   - `last accuracy`, `last loss`: the last value of the curve;
   - `families`: the accuracy curve, continued by an ensemble of parametric families;
   - `curve process`: a Gaussian process over the curves of the networks of the other folds;
   - `surrogate`: the surrogate without curves;
   - `surrogate, curves`: the surrogate with the features of the curve process;
   - `both`: mean rank by the last two.
   In brackets, the gain over the surrogate alone and its standard error, paired over the folds.
   `seconds` is the share of the training's seconds, over all networks. A training run that the campaign stopped early
   ends at its own last epoch.
2. Error of accuracies that are predicted from a network's own curve, in points: mean and median of its magnitude.
3. Early stopping, replayed. Each of CAMPAIGNS campaigns has NETWORKS random rows in a random order and one worker.
   Training runs are compared by their last accuracy, by their last loss, or by a curve process fitted to an earlier
   table: the other four fifths of the rows. An undisturbed campaign stops no training run. `core-seconds`: share of the
   seconds (training and reading of chips) of an undisturbed campaign with the same rows. `finds best`: share of the
   campaigns that keep the network with the best label. `regret`: accuracy lost against this network, in points, mean
   and standard error over the campaigns; they share rows, so the error is a lower bound. `equal regret`: share of the
   core-seconds after which undisturbed campaigns have this regret on average. `rows/h` is `equal regret` divided by
   `core-seconds`: the factor by which early stopping raises the rows per hour at the same regret.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from extra_features import informed, known
from scipy.stats import rankdata
from sklearn.model_selection import KFold

from ohmnas.datasets.tables.curves import LearningCurves, last_seen
from ohmnas.datasets.tables.table import read_table
from ohmnas.estimators.curves import Asha, CurveProcess, extrapolate_each, hyperband, rungs, successive_halving
from ohmnas.estimators.curves.process import curve_features
from ohmnas.surrogate import Surrogate, TrainingSet, metrics
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.targets import DEFAULT_NAMES

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
SHARES: Final = {"1/8": 8, "1/4": 4, "1/2": 2}
SIGNS: Final = {"accuracy_1d": 1.0, "accuracy_1d_std": -1.0, "avm": -1.0}
"""Sign of a label under which larger is better."""
FOLDS: Final = 5
REDUCTIONS: Final = (2, 4)
CRITERIA: Final = ("accuracy", "loss", "process")
"""Values that early stopping compares."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The rows of a table: one training run each."""

    data: TrainingSet
    curves: LearningCurves
    train_seconds: Values
    read_seconds: Values

    @classmethod
    def of(cls, name: str) -> Measured:
        """Rows of a table, in the order of its training set."""
        table = read_table(name)
        frame = table.select().sort_values("seed", kind="stable")
        data = TrainingSet.of(table)
        genomes = frame[list(data.space.gene_names)].to_numpy(dtype=np.int16)
        place = {genomes[row].tobytes(): row for row in reversed(range(len(genomes)))}  # the first seed's row
        frame = frame.iloc[[place[genome.tobytes()] for genome in np.ascontiguousarray(data.population)]]
        seconds = frame[["train_seconds", "drift_seconds"]].to_numpy(dtype=np.float64)
        return cls(data, LearningCurves.of(frame), seconds[:, 0], seconds[:, 1])

    def seconds(self, epoch: int) -> Values:
        """``(n,)``: seconds of each training run up to an epoch."""
        return self.train_seconds * np.minimum(epoch / self.curves.trained, 1.0)


def taus(measured: Measured, rounds: int) -> dict[str, Any]:
    """Way -> share of the epochs -> target -> tau and its error, and the share of the seconds."""
    labels = measured.data.single()
    folds = [
        fold
        for seed in range(rounds)
        for fold in KFold(FOLDS, shuffle=True, random_state=seed).split(measured.data.population)
    ]
    found: dict[str, Any] = {}
    ranks: dict[tuple[str, str], list[Values]] = {}

    def scored(ranked: list[Values]) -> Values:
        """``(folds, targets)``: tau of the ranking in each fold."""
        each = zip(ranked, folds, strict=True)
        return np.array(
            [
                [metrics.kendall_tau(labels[test, target], one[:, target]) for target in range(len(DEFAULT_NAMES))]
                for one, (_, test) in each
            ]
        )

    def add(way: str, share: str, spent: float, ranked: list[Values]) -> None:
        """Score a way: ``(rows, 3)`` for the unseen rows of each fold, larger for larger labels."""
        ranks[way, share] = ranked
        scores, base = scored(ranked), scored(ranks["surrogate", "0"])
        found.setdefault(way, {})[share] = {
            "seconds": round(spent, 4),
            **{
                target: {
                    "tau": round(float(own.mean()), 4),
                    "error": round(_error(own), 4),
                    "gain": round(float((own - before).mean()), 4),
                    "gain_error": round(_error(own - before), 4),
                }
                for target, own, before in zip(DEFAULT_NAMES, scores.T, base.T, strict=True)
            },
        }

    def plain(values: Values) -> list[Values]:
        return [np.outer(values[test], [*SIGNS.values()]) for _, test in folds]

    def learned(extra: dict[str, Values]) -> list[Values]:
        data = informed(measured.data, extra)
        with known(data.population, extra):
            return [_ranks(Surrogate.learn(data.take(train)).model_, data, test) for train, test in folds]

    add("surrogate", "0", 0.0, learned({}))
    for share, divisor in SHARES.items():
        epoch = measured.curves.epochs // divisor
        cut = measured.curves.until(epoch)
        spent = float(measured.seconds(epoch).sum() / measured.train_seconds.sum())
        ends = extrapolate_each(cut.read_after, cut.accuracies, measured.curves.epochs)[:, 0]
        add("last accuracy", share, spent, plain(last_seen(cut.accuracies)))
        add("last loss", share, spent, plain(-last_seen(cut.losses)))
        add("families", share, spent, plain(ends))
        add("curve process", share, spent, [_by_process(measured, epoch, *fold) for fold in folds])
        add("surrogate, curves", share, spent, learned({f"curve {n}": v for n, v in curve_features(cut).items()}))
        pairs = zip(ranks["curve process", share], ranks["surrogate, curves", share], strict=True)
        add("both", share, spent, [rankdata(one, axis=0) + rankdata(other, axis=0) for one, other in pairs])
    return found


def errors(measured: Measured) -> dict[str, Any]:
    """Share of the epochs -> way -> mean and median magnitude of the error of the accuracy, in points."""
    accuracy = measured.data.single()[:, 0]
    found: dict[str, Any] = {}
    for share, divisor in SHARES.items():
        cut = measured.curves.until(measured.curves.epochs // divisor)
        ends = extrapolate_each(cut.read_after, cut.accuracies, measured.curves.epochs)[:, 0]
        for way, values in {"last accuracy": last_seen(cut.accuracies), "families": ends}.items():
            away = 100.0 * np.abs(values - accuracy)
            found.setdefault(way, {})[share] = {
                "mean": round(float(away.mean()), 3),
                "median": round(float(np.median(away)), 3),
            }
    return found


def _ranks(model: SurrogateModel, data: TrainingSet, rows: Rows) -> Values:
    estimate = model.estimate(data.population[rows])
    return np.column_stack(
        [model.rank_scores(data.population[rows]), *(estimate[target] for target in DEFAULT_NAMES[1:])]
    )


def _by_process(measured: Measured, epoch: int, train: Rows, test: Rows) -> Values:
    data = measured.data
    labels = dict(zip(DEFAULT_NAMES, data.single()[train].T, strict=True))
    process = CurveProcess.fit(data.space, data.population[train], measured.curves.take(train), labels, epoch)
    return process.normal_scores(data.population[test], measured.curves.take(test))


def _error(values: Values) -> float:
    """Standard error of a mean; 0 for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def early_stopping(
    measured: Measured, campaigns: int, networks: int, criteria: Sequence[str] = CRITERIA
) -> dict[str, Any]:
    """Way -> share of core-seconds, chance of the best network, regret, share of undisturbed campaigns."""
    curves, accuracy = measured.curves, measured.data.single()[:, 0]
    whole = measured.train_seconds + measured.read_seconds
    orders = [np.random.default_rng(seed).permutation(len(accuracy))[:networks] for seed in range(campaigns)]
    undisturbed = _undisturbed(accuracy, whole, orders)
    found: dict[str, Any] = {}
    for criterion in criteria:
        for first, reduction in product((curves.epochs // 8, curves.epochs // 4), REDUCTIONS):
            at = rungs(curves.epochs, first, reduction)
            values = np.column_stack([_value(measured, epoch, criterion) for epoch in at])
            spent = np.column_stack([*map(measured.seconds, at), whole])
            for way, decide in {"halving": successive_halving, "Hyperband": hyperband, "ASHA": _asha}.items():
                passed = [decide(values[order], reduction) for order in orders]
                found[f"{way}, {criterion}, from epoch {first}, 1 of {reduction}"] = {
                    "rungs": at,
                    **_judged(passed, orders, spent, accuracy, undisturbed),
                }
    return found


@cache
def _value(measured: Measured, epoch: int, criterion: str) -> Values:
    """``(n,)``: values that compare training runs at an epoch; larger is better."""
    cut = measured.curves.until(epoch)
    if criterion != "process":
        return last_seen(cut.accuracies) if criterion == "accuracy" else -last_seen(cut.losses)
    values = np.empty(len(cut))
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(values):
        values[test] = _by_process(measured, epoch, train, test)[:, 0]
    return values


def _asha(values: Values, reduction: float) -> npt.NDArray[np.int64]:
    """``(n,)``: rungs that each network passes, if a single worker trains them one by one."""
    asha, passed = Asha(reduction), np.zeros(len(values), dtype=np.int64)
    for row in range(len(values)):
        while passed[row] < values.shape[1] and asha.continues(int(passed[row]), values[row, passed[row]]):
            passed[row] += 1
    return passed


def _undisturbed(accuracy: Values, seconds: Values, orders: list[Rows]) -> tuple[Values, Values]:
    """Shares of the core-seconds, and the mean regret in points that campaigns have after each."""
    shares, regrets = np.linspace(0.01, 1.0, 100), []
    for order in orders:
        best = np.concatenate([[0.0], np.maximum.accumulate(accuracy[order])])
        spent = np.cumsum(seconds[order])
        done = np.searchsorted(spent / spent[-1], shares + 1e-9, side="right")
        regrets.append(100.0 * (best[-1] - best[done]))
    return shares, np.mean(regrets, axis=0)


def _judged(
    passed: list[npt.NDArray[np.int64]],
    orders: list[Rows],
    spent: Values,
    accuracy: Values,
    undisturbed: tuple[Values, Values],
) -> dict[str, float]:
    """Summary of campaigns, given ``(networks,)`` passed rungs of each and the ``(n, rungs + 1)`` seconds of rows."""
    shares, regrets = [], []
    for rungs_passed, order in zip(passed, orders, strict=True):
        finished = order[rungs_passed == spent.shape[1] - 1]
        shares.append(float(spent[order, rungs_passed].sum() / spent[order, -1].sum()))
        regrets.append(100.0 * float(accuracy[order].max() - accuracy[finished].max()))
    share, regret = float(np.mean(shares)), float(np.mean(regrets))
    equal = float(undisturbed[0][np.argmax(undisturbed[1] <= regret + 1e-9)])
    return {
        "core_seconds": round(share, 4),
        "finds_the_best": round(float(np.mean(np.array(regrets) == 0.0)), 4),
        "regret": round(regret, 4),
        "regret_error": round(_error(np.array(regrets)), 4),
        "equal_regret": round(equal, 4),
        "rows_an_hour": round(equal / share, 3),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="digits-protocol4")
    parser.add_argument("--part", choices=("tau", "error", "stopping"), help="only one of the three parts")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--criteria", default=",".join(CRITERIA), help="values that early stopping compares")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # few rows: constant columns
    measured = Measured.of(arguments.table)
    found = {}
    if arguments.part in {None, "error"}:
        found["error"] = errors(measured)
    if arguments.part in {None, "tau"}:
        found["tau"] = taus(measured, arguments.rounds)
    if arguments.part in {None, "stopping"}:
        found["early_stopping"] = early_stopping(
            measured, arguments.campaigns, arguments.networks, arguments.criteria.split(",")
        )
    if arguments.json:
        print(json.dumps(found))
        return
    if "tau" in found:
        print(f"{arguments.table}: {len(measured.curves)} networks; tau ± error over {FOLDS * arguments.rounds} folds")
        _print_taus(found["tau"])
    if "error" in found:
        print("error of the predicted accuracy in points, mean (median)")
        print(f"{'':20}" + "".join(f"{share:>18}" for share in SHARES))
        for way, by_share in found["error"].items():
            print(f"{way:20}" + "".join(f"{one['mean']:>9.2f} ({one['median']:6.2f})" for one in by_share.values()))
    if "early_stopping" in found:
        print(f"early stopping: {arguments.campaigns} campaigns of {arguments.networks} networks")
        _print_early_stopping(found["early_stopping"])


def _print_taus(found: dict[str, Any]) -> None:
    print(f"{'':18}{'epochs':>7}{'seconds':>9}" + "".join(f"{target:>34}" for target in DEFAULT_NAMES))
    for way, by_share in found.items():
        for share, scores in by_share.items():
            cells = "".join(
                f"{scores[target]['tau']:>9.3f} ± {scores[target]['error']:.3f} "
                f"({scores[target]['gain']:+.3f} ± {scores[target]['gain_error']:.3f})"
                for target in DEFAULT_NAMES
            )
            print(f"{way:18}{share:>7}{100 * scores['seconds']:>7.1f} %{cells}")


def _print_early_stopping(found: dict[str, Any]) -> None:
    print(f"{'':44}{'core-seconds':>14}{'finds best':>12}{'regret':>16}{'equal regret':>14}{'rows/h':>9}")
    for way, one in found.items():
        regret = f"{one['regret']:.3f} ± {one['regret_error']:.3f}"
        print(
            f"{way:44}{100 * one['core_seconds']:>12.0f} %{100 * one['finds_the_best']:>10.0f} %{regret:>16}"
            f"{100 * one['equal_regret']:>12.0f} %{one['rows_an_hour']:>8.2f}x"
        )


if __name__ == "__main__":
    main()
