"""Time to fit and predict with a surrogate, by step.

python benchmarks/surrogate_speed.py [--json]

The rows are synthetic: random architectures with noisy predictions of the digits surrogate as labels.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ohmnas.datasets.tables.table import read_table
from ohmnas.surrogate import Surrogate, SurrogateModel, TrainingSet
from ohmnas.surrogate.model import with_score

ROWS = (1_000, 10_000)
PREDICTED = 100_000
NOISE = 0.05


def main() -> None:
    """Print seconds, and the share of each step of a prediction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = TrainingSet.of(read_table("digits"))
    surrogate, rng = Surrogate.learn(data).model_, np.random.default_rng(0)
    fits = {}
    for n in ROWS:
        population = surrogate.space.sample(n, rng, max_params=200_000)
        labels = surrogate.predict(population) * np.exp(NOISE * rng.standard_normal((n, 3)))
        labels = np.clip(labels, (0.0, 0.0, -1.0), 1.0)
        new = Surrogate(surrogate.space, surrogate.hardware)
        fits[n] = _seconds(partial(new.fit, population, labels))
    some = surrogate.space.sample(PREDICTED // 5, rng, max_params=200_000)
    population = np.concatenate([surrogate.space.mutate(some, rng) for _ in range(5)])
    features = surrogate.features(population)
    informed = with_score(features, np.zeros(len(features)))
    predicted = surrogate.estimate(population)
    whole = _seconds(lambda: _with_intervals(surrogate, population))
    asked = [*zip(surrogate.forests, (features, informed), strict=True)]
    steps = {
        "features": _seconds(lambda: surrogate.features(population)),
        "three tree ensembles": _seconds(lambda: [forest.predict(rows) for forest, rows in asked]),
        "Gaussian processes": _seconds(lambda: surrogate.process.predict(features)),
        "intervals": _seconds(lambda: [surrogate.quantile(predicted, p) for p in (0.05, 0.95)]),
    }
    if arguments.json:
        print(json.dumps({"fit_seconds": fits, "rows": len(population), "predict_seconds": whole, "steps": steps}))
        return
    for n, seconds in fits.items():
        print(f"fit to {n:>7,} rows                {seconds:7.2f} s")
    print(f"predict {len(population):,} with intervals {whole:7.2f} s, on all threads; its steps on one thread:")
    for name, seconds in steps.items():
        print(f"  {name:32}{seconds:7.2f} s {100 * seconds / sum(steps.values()):4.0f} %")


def _with_intervals(surrogate: SurrogateModel, population: np.ndarray) -> None:
    predicted = surrogate.estimate(population)
    for probability in (0.05, 0.95):
        surrogate.quantile(predicted, probability)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
