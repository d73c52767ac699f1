"""Convert rows of a population to `Candidate`s with costs, predictions and intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ohmnas.search.candidate import COVERAGE, OTHER_COSTS, Candidate
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population


def candidates(problem: Problem, population: Population, evaluation: Evaluation) -> list[Candidate]:
    """Return one candidate per row."""
    ends = [problem.quantile(evaluation.estimate, (1 + side * COVERAGE) / 2) for side in (-1, 1)]
    of = problem.quantities(population)
    costs = {name: of[name] for name in OTHER_COSTS if problem.has_chip or name in {"size", "memory"}}
    space = problem.space
    chips = space.chip_names(population)
    params, macs = of["params"].astype(np.int64).tolist(), of["macs"].astype(np.int64).tolist()
    return [
        Candidate(
            architecture,
            tuple(genome.tolist()),
            params[row],
            macs[row],
            evaluation.estimate.row(row),
            interval={
                name: (float(low[name][row]), float(high[name][row]))
                for low, high in [ends]
                if low is not None and high is not None
                for name in low.names
            },
            costs={name: float(values[row]) for name, values in costs.items()},
            chip=chips[row],
            space=space,
        )
        for row, (architecture, genome) in enumerate(zip(problem.space.decode(population), population, strict=True))
    ]


def references(problem: Problem) -> list[Candidate]:
    """Reference networks that meet the limits on costs, best first by the estimator's first target.

    If chips are searched too, each is on its best chip within the bounds.
    """
    known = problem.space.references
    if not known:
        return []
    networks = problem.space.networks.encode(known.values())
    population = problem.space.on_chips(networks, problem.bounds)
    names = np.repeat(list(known), len(population) // len(known))
    affordable = problem.fits(population)
    population, names = population[affordable], names[affordable]
    if not len(names):
        return []
    evaluation = problem.evaluate(population)
    order = evaluation.order()
    best = order[np.sort(np.unique(names[order], return_index=True)[1])]
    evaluation = evaluation.take(best)
    missed = problem.missed(evaluation.estimate)
    named = [
        replace(candidate, name=str(name), misses=tuple(limit for limit in missed if missed[limit][row] > 0))
        for row, (name, candidate) in enumerate(
            zip(names[best], candidates(problem, population[best], evaluation), strict=True)
        )
    ]
    first = problem.estimator.targets[0]
    sign = -1.0 if first.larger_is_better else 1.0
    return sorted(named, key=lambda candidate: sign * candidate.predicted[first.name])
