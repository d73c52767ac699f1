"""Optimism and coverage of predictions for the winners of replayed searches.

python benchmarks/winners.py [--tables NAME ...] [--draws 24] [--share 0.5] [--bags B] [--json]

In each draw, a surrogate is trained on a random share of a table's networks, and a search chooses among the others. It
takes the best network by the default objective and by accuracy, with the floor set by the best reference network, for
parameter budgets that admit 30 to 100 % of the networks. Each winner is compared with its labels of one training run.
Optimism is prediction minus label, in points, with its sign changed for standard deviation and AVM: it is positive if
the prediction is too good. Coverage is the share of winners with a label inside the 90 % prediction interval. Standard
errors are over draws. With --bags, the search uses the mean of surrogates of B resamples instead (bagging: Breiman,
1996).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tables.table import read_table, shipped_tables
from ohmnas.errors import OhmnasError
from ohmnas.estimate import Estimate
from ohmnas.search import Limits, Problem
from ohmnas.search.defaults import reference_floor
from ohmnas.search.estimator import Estimator
from ohmnas.search.objectives import objective
from ohmnas.spaces.genes import Population
from ohmnas.surrogate import Surrogate, SurrogateModel, TrainingSet
from ohmnas.surrogate.score import covered
from ohmnas.surrogate.training_set import learnable_chips
from ohmnas.targets import DEFAULT_NAMES, Target

SHARES: Final = (0.3, 0.5, 0.7, 0.9, 1.0)
"""Shares of the networks that the budgets admit."""
OBJECTIVES: Final = ("ratio", "accuracy")
_SIGNS: Final = np.array([1.0, -1.0, -1.0])
"""A prediction is optimistic if it is above an accuracy, or below a standard deviation or an AVM."""
_LOW, _HIGH = 0.05, 0.95

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bag(Estimator):
    """The mean of surrogates of resampled rows."""

    models: tuple[SurrogateModel, ...]

    @classmethod
    def learn(cls, data: TrainingSet, bags: int, rng: np.random.Generator) -> Bag:
        """Learn from ``bags`` resamples."""
        n = len(data.population)
        rows = [np.unique(rng.integers(0, n, n)) for _ in range(bags)]
        return cls(tuple(Surrogate.learn(data.take(some), seed=bag).model_ for bag, some in enumerate(rows)))

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of a surrogate."""
        return self.models[0].targets

    def estimate(self, population: Population) -> Estimate:
        """Mean of all estimates."""
        return Estimate(self.targets, np.mean([model.estimate(population).values for model in self.models], axis=0))


def winners(data: TrainingSet, model: Estimator, held_out: npt.NDArray[np.intp]) -> dict[str, list[int]]:
    """Index of the winner of each budget among held-out rows, by objective."""
    population = data.population[held_out]
    params = data.space.params(data.population)
    chosen: dict[str, list[int]] = {}
    for share in SHARES:
        limits = Limits(min_params=1, max_params=int(np.quantile(params, share)))
        for name in OBJECTIVES:
            problem = reference_floor(Problem(data.space, model, limits, objective=objective(name)))
            evaluation = problem.evaluate(population)
            rows = np.flatnonzero(problem.affordable(population) & evaluation.feasible)
            if len(rows):
                chosen.setdefault(name, []).append(int(rows[np.argmax(evaluation.objective[rows])]))
    return chosen


def replays(data: TrainingSet, draws: int, share: float, bags: int) -> Iterator[dict[str, tuple[Values, Values]]]:
    """For each draw and objective, ``(w, 3)`` optimism in points, and 1 if the interval contains the label, else 0."""
    labels = data.single()
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(labels))
        learned, held_out = np.split(order, [round(share * len(order))])
        model = Surrogate.learn(data.take(learned)).model_
        asked = Bag.learn(data.take(learned), bags, np.random.default_rng(draw)) if bags else model
        estimate = asked.estimate(data.population[held_out])
        low, high = (model.quantile(estimate, probability) for probability in (_LOW, _HIGH))
        optimism = (estimate.values - labels[held_out]) * _SIGNS * 100
        held = np.column_stack(
            [
                covered(name, labels[held_out, column], low, high, data.scales.std_floor)
                for column, name in enumerate(DEFAULT_NAMES)
            ]
        ).astype(np.float64)
        rows = {**winners(data, asked, held_out), "all": list(range(len(held_out)))}
        yield {name: (optimism[of], held[of]) for name, of in rows.items()}


def summary(data: TrainingSet, draws: int, share: float, bags: int) -> dict[str, Any]:
    """Mean optimism and coverage of each target, with standard errors over draws, for each objective and all rows."""
    by_name: dict[str, list[tuple[Values, Values]]] = {}
    for replay in replays(data, draws, share, bags):
        for name, of_winners in replay.items():
            by_name.setdefault(name, []).append(of_winners)
    found: dict[str, Any] = {}
    for name, values in by_name.items():
        optimism = np.array([of.mean(axis=0) for of, _ in values])
        held = np.array([of.mean(axis=0) for _, of in values])
        error = np.sqrt(len(values))
        found[name] = {
            "winners": sum(len(of) for of, _ in values),
            **{
                target: {
                    "optimism": float(optimism[:, column].mean()),
                    "error": float(optimism[:, column].std(ddof=1) / error),
                    "coverage": float(held[:, column].mean()),
                    "coverage_error": float(held[:, column].std(ddof=1) / error),
                }
                for column, target in enumerate(DEFAULT_NAMES)
            },
        }
    return found


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="tables (default: all with a surrogate)")
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--share", type=float, default=0.5, help="share of the networks that a surrogate is trained on")
    parser.add_argument("--bags", type=int, default=0, metavar="B", help="resamples to average over (default: none)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    for name in arguments.tables or shipped_tables():
        try:
            table = read_table(name)
            data = TrainingSet.of(table, "pcm" if "pcm" in learnable_chips(table) else None)
            results[name] = summary(data, arguments.draws, arguments.share, arguments.bags)
        except OhmnasError as error:
            if arguments.tables:
                raise SystemExit(f"{name}: {error}") from None
            continue  # too few rows
    if arguments.json:
        print(json.dumps(results, indent=1))
        return
    for name, of in results.items():
        print(f"\n{name}: optimism in points, and share of labels within the 90 % interval")
        print(f"{'':10s}{'networks':>9s}" + "".join(f"{target:>26s}" for target in DEFAULT_NAMES))
        for rows, values in of.items():
            cells = [values[target] for target in DEFAULT_NAMES]
            texts = [
                f"{cell['optimism']:+6.2f} ± {cell['error']:.2f}  {100 * cell['coverage']:4.0f} %" for cell in cells
            ]
            print(f"{rows:10s}{values['winners']:9,d}" + "".join(f"{text:>26s}" for text in texts))
    chosen = [
        of[name][target] for of in results.values() for name in OBJECTIVES if name in of for target in DEFAULT_NAMES
    ]
    coverage = np.mean([cell["coverage"] for cell in chosen])
    print(f"\nwinners of all tables: {100 * coverage:.0f} % of the labels lie in the 90 % interval")


if __name__ == "__main__":
    main()
