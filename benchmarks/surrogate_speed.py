"""How long a surrogate takes to fit and to predict, and what takes the time.

python benchmarks/surrogate_speed.py [--json]

The rows are made up: architectures of the space with what the surrogate of the digits says of them, and noise.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ohmnas.datasets.table import read_table
from ohmnas.surrogate import LearningSet, Surrogate, heads

ROWS = (1_000, 10_000)
PREDICTED = 100_000
NOISE = 0.05


def main() -> None:
    """Print seconds, and the share of each step of a prediction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = LearningSet.of(read_table("digits"))
    surrogate, rng = Surrogate.learn(data), np.random.default_rng(0)
    fits = {}
    for n in ROWS:
        population = surrogate.space_.sample(n, rng, max_params=200_000)
        labels = surrogate.predict(population) * np.exp(NOISE * rng.standard_normal((n, 3)))
        labels = np.clip(labels, (0.0, 0.0, -1.0), 1.0)
        new = Surrogate(surrogate.space_, surrogate.hardware_)
        fits[n] = _seconds(partial(new.fit, population, labels))
    some = surrogate.space_.sample(PREDICTED // 5, rng, max_params=200_000)
    population = np.concatenate([surrogate.space_.mutate(some, rng) for _ in range(5)])
    features = surrogate.features(population)
    informed = heads.with_score(features, np.zeros(len(features)))
    predicted = surrogate.forecast(population)
    whole = _seconds(lambda: _with_intervals(surrogate, population))
    asked = [*zip(surrogate.forests_, (features, informed), strict=True)]
    steps = {
        "features": _seconds(lambda: surrogate.features(population)),
        "three tree ensembles": _seconds(lambda: [forest.predict(rows) for forest, rows in asked]),
        "Gaussian processes": _seconds(lambda: surrogate.process_.predict(features)),
        "intervals": _seconds(lambda: [surrogate.quantile(predicted, p) for p in (0.05, 0.95)]),
    }
    if arguments.json:
        print(json.dumps({"fit_seconds": fits, "rows": len(population), "predict_seconds": whole, "steps": steps}))
        return
    for n, seconds in fits.items():
        print(f"fit to {n:>7,} rows                {seconds:7.2f} s")
    print(f"predict {len(population):,} with intervals {whole:7.2f} s, in all threads; its steps alone, in one:")
    for name, seconds in steps.items():
        print(f"  {name:32}{seconds:7.2f} s {100 * seconds / sum(steps.values()):4.0f} %")


def _with_intervals(surrogate: Surrogate, population: np.ndarray) -> None:
    predicted = surrogate.forecast(population)
    for probability in (0.05, 0.95):
        surrogate.quantile(predicted, probability)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
