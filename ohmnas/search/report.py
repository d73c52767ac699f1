"""Describe rows of a population as `Candidate`s, and the content of an archive as a `SearchResult`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ohmnas.errors import InfeasibleError
from ohmnas.search.archive import Archive
from ohmnas.search.candidate import COVERAGE, OTHER_COSTS, Candidate
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.infeasibility import beyond_predictions
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult
from ohmnas.spaces.genes import Population

STANDING: Final = 100
"""Number of best architectures saved to resume a search."""


def describe(
    problem: Problem,
    archive: Archive,
    *,
    top: int,
    evaluations: int,
    seconds: float,
    seed: int,
    history: list[dict[str, float]],
    stopped: str,
) -> SearchResult:
    """Describe the best architecture, the diverse ones, the front and the references of a search.

    Args:
        problem: objective and limits.
        archive: evaluated architectures.
        top: number of diverse architectures; 1 lists none but the best.
        evaluations: number of evaluated architectures.
        seconds: wall time.
        seed: seed of the search.
        history: entry of each generation.
        stopped: reason for the end, as in `SearchResult.stopped`.

    Raises:
        InfeasibleError: nothing feasible is in the archive; the message shows the nearest architecture.
    """
    different, front, standing = archive.different(top, problem.spans), archive.front(), archive.elite(STANDING)
    if different is None or standing is None:
        late = "; the time limit was reached" if stopped == "seconds" else ""
        error = InfeasibleError(beyond_predictions(problem, archive.nearest, evaluations) + late)
        error.reference = "" if archive.nearest is None else problem.limits.reference
        raise error
    diverse = candidates(problem, *different)
    return SearchResult(
        diverse[0],
        evaluations,
        seconds,
        seed,
        problem.to_dict(),
        history,
        problem.space,
        objective=problem.objective.name,
        stopped=stopped,
        top=diverse if top > 1 else [],
        front=candidates(problem, *front) if front is not None else [],
        pareto=problem.pareto,
        population=standing[0],
        provenance=dict(problem.estimator.provenance),
        references=references(problem),
    )


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

    Networks that the estimator cannot estimate are left out.

    If chips are searched too, each is on its best chip within the bounds.
    """
    known = problem.space.references
    if not known:
        return []
    networks = problem.space.networks.encode(known.values())
    population = problem.space.on_chips(networks, problem.bounds)
    names = np.repeat(list(known), len(population) // len(known))
    affordable = problem.fits(population) & problem.estimator.accepts(population)
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
