"""Rows of a population as `Candidate`s: readable, with costs, predictions and how sure those are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ohmnas.search.candidate import COVERAGE, OTHER_COSTS, Candidate
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import PREDICTIONS
from ohmnas.spaces.genes import Population
from ohmnas.spaces.reference import REFERENCES


def candidates(problem: Problem, population: Population, evaluation: Evaluation) -> list[Candidate]:
    """One for each row."""
    ends = [problem.quantile(evaluation, (1 + side * COVERAGE) / 2) for side in (-1, 1)]
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
            predictions(evaluation, row),
            interval={
                name: (float(getattr(low, name)[row]), float(getattr(high, name)[row]))
                for low, high in [ends]
                for name in PREDICTIONS
                if low is not None and high is not None
            },
            costs={name: float(values[row]) for name, values in costs.items()},
            chip=chips[row],
        )
        for row, (architecture, genome) in enumerate(zip(problem.space.decode(population), population, strict=True))
    ]


def predictions(evaluation: Evaluation, row: int) -> dict[str, float]:
    """What is predicted of one row."""
    return {name: float(getattr(evaluation, name)[row]) for name in PREDICTIONS}


def references(problem: Problem) -> list[Candidate]:
    """The reference networks that meet the same limits on costs, best predicted accuracy first.

    Where chips are searched too, each on the chip within the bounds that is best for it.
    """
    networks = problem.space.networks.encode(REFERENCES.values())
    population = problem.space.on_chips(networks, problem.within)
    names = np.repeat(list(REFERENCES), len(population) // len(REFERENCES))
    affordable = problem.fits(population)
    population, names = population[affordable], names[affordable]
    if not len(names):
        return []
    evaluation = problem.evaluate(population)
    order = evaluation.order()
    best = order[np.sort(np.unique(names[order], return_index=True)[1])]
    evaluation = evaluation.take(best)
    missed = problem.missed(evaluation)
    named = [
        replace(candidate, name=str(name), misses=tuple(limit for limit in missed if missed[limit][row] > 0))
        for row, (name, candidate) in enumerate(
            zip(names[best], candidates(problem, population[best], evaluation), strict=True)
        )
    ]
    return sorted(named, key=lambda candidate: -candidate.predicted["accuracy_1d"])
