"""Time of searches: in total, by step, and by number of evaluations.

python benchmarks/search.py [--json]

The search of the AnalogNAS paper has 200 generations of 100. "All limits" are limits on parameters, MACs, size, memory,
tiles, energy, latency, AVM and standard deviation, set so that each excludes some architectures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xgboost as xgb

from ohmnas.datasets.tables.table import read_table
from ohmnas.hardware import hardware
from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.search.quantity_names import COSTS
from ohmnas.surrogate import Surrogate, SurrogateModel, TrainingSet
from ohmnas.surrogate.features import feature_matrix
from ohmnas.surrogate.fit.learners import TreeSettings, fit_regressor
from ohmnas.surrogate.fit.stages import SPREAD_DEPTH
from ohmnas.surrogate.model import with_score
from ohmnas.targets import DEFAULT_NAMES

RUNS = 5
LARGE = 10_000
GENERATIONS = 20
GROWTH = ((100, 100), (100, 200), (100, 400), (1_000, 200), (10_000, 20))
"""Offspring per generation, and number of generations."""


def main() -> None:
    """Time searches and their parts on the same machine, in one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = TrainingSet.of(read_table("digits"))
    surrogate, boosters = Surrogate.learn(data).model_, _boosters(data)
    seen = surrogate.provenance["seen"]
    limits = Limits(50_000, seen["max_macs"], 0.02, seen["min_params"])
    problem = Problem(surrogate.space, surrogate, limits, chip=hardware("pcm").settings())
    results = [search(problem, Evolution, seed) for seed in range(RUNS)]
    seconds = float(np.median([result.seconds for result in results]))
    large, share = _all_limits(problem)
    budget = Budget(LARGE, GENERATIONS)
    many = [search(large, partial(Evolution, keep=8 * LARGE // 10), seed, budget) for seed in range(3)]
    population = problem.sample(LARGE, np.random.default_rng(0))
    few = population[:110]
    values: dict[str, Any] = {
        "paper_search_seconds": seconds,
        "paper_search_evaluations": float(np.median([result.evaluations for result in results])),
        "evaluations_per_second": float(np.median([result.evaluations / result.seconds for result in many])),
        "surrogate_per_second": len(population) / _seconds(lambda: surrogate.estimate(population), 5),
        "trees_per_second": len(population) / _trees(surrogate, surrogate.features(population), 5),
        "xgboost_per_second": len(population) / _xgboost(boosters, surrogate.features(population), 5),
        "milliseconds": {
            "features and three targets, 110 rows": 1000 * _seconds(lambda: surrogate.estimate(few)),
            "three tree ensembles, 110 rows": 1000 * _trees(surrogate, surrogate.features(few), 50),
            "the same by XGBoost's own call, 110 rows": 1000 * _xgboost(boosters, surrogate.features(few), 50),
            "Gaussian processes, 110 rows": 1000 * _seconds(lambda: surrogate.process.predict(surrogate.features(few)))
            - 1000 * _seconds(lambda: surrogate.features(few)),
            "features, 110 rows": 1000 * _seconds(lambda: surrogate.features(few)),
            "mutation, 110 rows": 1000 * _seconds(lambda: _mutated(problem, few)),
            "params and MACs, 110 rows": 1000 * _seconds(lambda: problem.affordable(few)),
            "all costs, 110 rows": 1000 * _seconds(lambda: large.affordable(few)),
        },
        "growth": [
            {"population": n, "generations": g, "seconds": result.seconds, "evaluations": result.evaluations}
            for n, g in GROWTH
            for result in [search(problem, partial(Evolution, keep=8 * n // 10), 0, Budget(n, g))]
        ],
    }
    if arguments.json:
        print(json.dumps(values))
        return
    print(f"search of 200 generations of 100 (median of {RUNS} seeds)       {seconds:9.2f} s")
    print(f"  architectures evaluated                                {values['paper_search_evaluations']:9,.0f}")
    print(f"evaluated per second, generations of {LARGE:,}, all limits  {values['evaluations_per_second']:9,.0f}")
    print(f"  (the limits allow {100 * share:.0f} % of the architectures with at most 50,000 parameters)")
    print(f"  the surrogate alone, {LARGE:,} rows                       {values['surrogate_per_second']:9,.0f}")
    print(f"  its three tree ensembles alone                         {values['trees_per_second']:9,.0f}")
    print(f"  the same by XGBoost's own call                         {values['xgboost_per_second']:9,.0f}")
    for name, milliseconds in values["milliseconds"].items():
        print(f"{name:<56} {milliseconds:9.3f} ms")
    print("growth: offspring x generations   evaluations   seconds   evaluations per second")
    for row in values["growth"]:
        n, g, took, asked = row["population"], row["generations"], row["seconds"], row["evaluations"]
        print(f"  {f'{n:,} x {g}':>20} {asked:22,} {took:9.2f} {asked / took:15,.0f}")


def _all_limits(problem: Problem) -> tuple[Problem, float]:
    """Limits on all costs at the third quartile of a sample, and on predictions; share of the sample within costs."""
    sample = problem.sample(1000, np.random.default_rng(0))
    of = problem.quantities(sample)
    quartile: dict[str, Any] = {f"max_{name}": float(np.quantile(of[name], 0.75)) for name in COSTS if name != "params"}
    limits = Limits(50_000, max_avm=0.02, max_std=0.05, min_params=problem.limits.min_params, **quartile)
    large = Problem(problem.space, problem.estimator, limits, chip=problem.chip)
    return large, float(large.affordable(sample).mean())


def _mutated(problem: Problem, population: np.ndarray) -> np.ndarray:
    return problem.mutate(population, np.random.default_rng(0), {"depth": 0.8, "width": 0.8, "other": 0.6})


def _trees(surrogate: SurrogateModel, features: np.ndarray, repeats: int) -> float:
    """Seconds of the surrogate's three tree ensembles on these rows, in one thread."""
    ranker, regressors = surrogate.forests
    informed = with_score(features, np.zeros(len(features)))
    return _seconds(lambda: (ranker.predict(features), regressors.predict(informed)), repeats)


def _boosters(data: TrainingSet) -> list[xgb.Booster]:
    """XGBoost ensembles of the same size as the surrogate's."""
    features = feature_matrix(data.space, data.population, data.hardware)
    informed = with_score(features, np.zeros(len(features)))
    shallow = TreeSettings(depth=SPREAD_DEPTH)
    accuracy, std, avm = (data.target(target) - data.target(target).mean() for target in DEFAULT_NAMES)
    return [
        fit_regressor(features, accuracy, TreeSettings(), 0),
        fit_regressor(informed, std, shallow, 0),
        fit_regressor(informed, avm, shallow, 0),
    ]


def _xgboost(boosters: list[xgb.Booster], features: np.ndarray, repeats: int) -> float:
    """Seconds of XGBoost's own predictions with these ensembles, in one thread."""
    informed = with_score(features, np.zeros(len(features)))
    asked = [*zip(boosters, (features, informed, informed), strict=True)]
    return _seconds(lambda: [model.inplace_predict(rows) for model, rows in asked], repeats)


def _seconds(call: Callable[[], Any], repeats: int = 50) -> float:
    """Median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


if __name__ == "__main__":
    main()
