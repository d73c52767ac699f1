"""How long the search of the paper takes (200 generations of 100), and what bounds it.

python benchmarks/search.py [--json]
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from ohmnas.datasets.table import read_table
from ohmnas.search import Evolution, Limits, Problem, search
from ohmnas.surrogate import LearningSet, Surrogate, heads

RUNS = 5


def main() -> None:
    """Time the search and its largest parts on the same machine, in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    surrogate = Surrogate.learn(LearningSet.of(read_table("digits")))
    seen = surrogate.provenance_["seen"]
    limits = Limits(50_000, seen["max_macs"], 0.02, seen["min_params"])
    problem = Problem(surrogate.space_, surrogate, limits)
    results = [search(problem, Evolution(problem), seed) for seed in range(RUNS)]
    seconds = float(np.median([result.seconds for result in results]))
    rate = float(np.median([result.evaluations / result.seconds for result in results]))

    population = problem.sample(100, np.random.default_rng(0))
    features = surrogate.features(population)
    parts = {
        "features and three heads, 100 rows": _milliseconds(lambda: surrogate.forecast(population)),
        "one tree ensemble, 100 rows": _milliseconds(lambda: heads.predict(surrogate.ranker_, features)),
        "features, 100 rows": _milliseconds(lambda: surrogate.features(population)),
        "mutation, 100 rows": _milliseconds(lambda: problem.space.mutate(population, np.random.default_rng(0))),
        "params and MACs, 100 rows": _milliseconds(lambda: problem.affordable(population)),
    }
    bound = 201 * 3 * parts["one tree ensemble, 100 rows"] / 1000
    if arguments.json:
        print(
            json.dumps(
                {
                    "paper_search_seconds": seconds,
                    "evaluations_per_second": rate,
                    "tree_bound_seconds": bound,
                    "milliseconds": parts,
                }
            )
        )
        return
    print(f"search, 200 generations of 100 (median of {RUNS} seeds)   {seconds:8.2f} s")
    print(f"architectures evaluated a second                       {rate:8,.0f}")
    print(f"bound: 201 predictions of 100 rows by three ensembles   {bound:8.2f} s")
    for name, milliseconds in parts.items():
        print(f"  {name:<52} {milliseconds:8.3f} ms")


def _milliseconds(call: object, repeats: int = 50) -> float:
    """Median time of a call without arguments."""
    assert callable(call)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


if __name__ == "__main__":
    main()
