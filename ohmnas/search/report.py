"""Report on a search: a `SearchResult`, or an error that says that no architecture meets the limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ohmnas.errors import InfeasibleError
from ohmnas.estimate import Estimate
from ohmnas.search.archive import Archive
from ohmnas.search.candidate import COVERAGE, OTHER_COSTS, Candidate
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.quantity_words import listed
from ohmnas.search.result import SearchResult
from ohmnas.spaces.genes import Population
from ohmnas.targets import TARGETS, VARIATIONS

STANDING: Final = 100
"""Number of the best architectures that are saved so that a search can be resumed."""
_OF_A_REFERENCE: Final = frozenset({"min_accuracy", *(f"max_{variation.name}" for variation in VARIATIONS)})
"""Limits that `defaults.reference_floor` takes from a reference network."""


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
    """Describe the best architecture, the diverse architectures, the front and the references of a search.

    Args:
        problem: objective and limits.
        archive: evaluated architectures.
        top: number of diverse architectures; with 1, `SearchResult.top` is empty.
        evaluations: number of evaluated architectures.
        seconds: wall time.
        seed: seed of the search.
        history: one entry per generation.
        stopped: reason for the end, as in `SearchResult.stopped`.

    Raises:
        InfeasibleError: nothing feasible is in the archive; the message shows the nearest architecture.
    """
    known = references(problem)
    different, front, standing = archive.different(top, problem.spans), archive.front(), archive.elite(STANDING)
    if different is None or standing is None:
        late = "; the time limit was reached" if stopped == "seconds" else ""
        error = InfeasibleError(beyond_predictions(problem, archive.nearest, evaluations) + late)
        if archive.nearest is not None and _misses_reference(problem.limits, candidates(problem, *archive.nearest)[0]):
            error.reference = problem.limits.reference
        raise error
    diverse = candidates(problem, *different)
    return SearchResult(
        diverse[0],
        evaluations,
        seconds,
        seed,
        problem.constraints,
        history,
        problem.space,
        objective=problem.objective.name,
        stopped=stopped,
        top=diverse if top > 1 else [],
        front=candidates(problem, *front) if front is not None else [],
        pareto=problem.pareto,
        population=standing[0],
        provenance=dict(problem.estimator.provenance),
        references=known,
    )


def candidates(problem: Problem, population: Population, evaluation: Evaluation) -> list[Candidate]:
    """Return one candidate per row."""
    ends = [problem.quantile(evaluation.estimate, (1 + side * COVERAGE) / 2) for side in (-1, 1)]
    missed, quantities = problem.missed(evaluation.estimate), problem.quantities(population)
    costs = {name: quantities[name] for name in OTHER_COSTS if problem.has_chip or name in {"size", "memory"}}
    space = problem.space
    chips = space.chip_names(population)
    params, macs = (quantities[name].astype(np.int64).tolist() for name in ("params", "macs"))
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
            misses=tuple(limit for limit in missed if missed[limit][row] > 0),
            space=space,
        )
        for row, (architecture, genome) in enumerate(zip(problem.space.decode(population), population, strict=True))
    ]


def references(problem: Problem) -> list[Candidate]:
    """Reference networks that meet the limits on costs, best first by the estimator's first target.

    Networks that the estimator cannot estimate are excluded. If chips are searched too, each network is on its best
    chip within the bounds.
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
    found = candidates(problem, population[best], evaluation)
    named = [replace(candidate, name=str(name)) for name, candidate in zip(names[best], found, strict=True)]
    first = problem.estimator.targets[0]
    sign = -1.0 if first.larger_is_better else 1.0
    return sorted(named, key=lambda candidate: sign * candidate.predicted[first.name])


def beyond_predictions(problem: Problem, nearest: tuple[Population, Evaluation] | None, evaluations: int) -> str:
    """Return the message that nothing meets the limits on predictions; `nearest` has the smallest violation."""
    if nearest is None:
        return "the strategy found no architecture within the cost limits"
    limits, (candidate,) = problem.limits, candidates(problem, *nearest)
    required = [f"a predicted {_title(target)} of at most {most:g}" for target, most in limits.ceilings().values()]
    required += [
        f"a predicted {_title(target)} ({name}) of at least {least:g}"
        for name, (target, least) in limits.floors().items()
    ]
    sure = "" if limits.confidence is None else f" with a probability of {limits.confidence:g}"
    on = f", on {candidate.chip}" if candidate.chip else ""
    origin = (
        f"; the limits on accuracy and AVM come from the reference network {limits.reference}"
        if limits.reference
        else ""
    )
    return (
        f"none of {evaluations:,} {problem.space.members} within the cost limits has {' and '.join(required)}{sure}; "
        f"the nearest has {_described(problem, nearest[1].estimate, candidate.params)}: {candidate.architecture}{on}; "
        f"another seed or strategy may get closer{origin}"
    )


def _misses_reference(limits: Limits, candidate: Candidate) -> bool:
    """Return True if a reference network set limits and the candidate violates the limit on accuracy or AVM."""
    return bool(limits.reference and _OF_A_REFERENCE & {*candidate.misses})


def _title(target: str) -> str:
    return TARGETS[target].title


def _described(problem: Problem, estimate: Estimate, params: int) -> str:
    """Describe the size and the predictions of the first row; with a confidence, describe quantiles of the predictions.

    Only targets with limits are named, or all targets if none has a limit.
    """
    names = [name for name in estimate.names if name in problem.limits.on_targets()] or [*estimate.names]
    if problem.limits.confidence is None:
        means = [f"a predicted {_title(name)} of {estimate[name][0]:.4f}" for name in names]
        return listed([f"{params:,} parameters", *means])
    lowest, highest = problem.confidence_bounds(estimate)
    ends = [
        f"a predicted {_title(name)} of at least {lowest[name][0]:.4f}"
        if TARGETS[name].larger_is_better
        else f"a predicted {_title(name)} of at most {highest[name][0]:.4f}"
        for name in names
    ]
    return f"{params:,} parameters and, with that probability, {listed(ends)}"
