"""The loop around a strategy: births within the limits, budget, history, best so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ohmnas.errors import InfeasibleError
from ohmnas.search.problem import Evaluation, Problem
from ohmnas.search.result import COVERAGE, PREDICTED, Candidate, SearchResult
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.genes import GENES, Population
from ohmnas.spaces.reference import REFERENCES

BIRTH_ROUNDS = 5
"""How often infeasible or repeated offspring are replaced in one generation before it stays smaller."""
DRY = 4
"""A round that brings less than one of so many missing ends its generation: what is near has been found."""
ENOUGH = 0.95
"""Share of the births of a generation that is not worth another round to fill up."""
SURPLUS = (1.5, 20.0)
"""Candidates bred for each one that is missing, least and most: as many as the last round needed. Most limits cost
next to nothing to check, asking the predictor does."""
MARGIN = 1.1
"""Times what is missing: a generation rather has a few too many than one more round."""
LEAST_SHARE = 0.25
"""A round evaluates so many that the missing ones are among them if as large a share is feasible as in the last
generation, and no more than if it were this one: a call for all is cheaper than a call for each remainder."""
PATIENCE = 50
"""Generations without anything feasible after which the problem is called infeasible."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search."""

    population: int = 100
    """Births of a generation."""
    iterations: int = 200
    """Generations after the first; 0 searches only the first."""
    seconds: float = 3600.0
    """Wall time after which the search ends with what it has."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a progress report sees."""

    iteration: int
    iterations: int
    born: Population
    """``(m, g)``: the feasible newborn of this generation."""
    best_objective: float
    """Of the whole search so far; NaN if nothing feasible is known."""


class _Search:
    """State of one run."""

    def __init__(self, problem: Problem, strategy: Strategy, rng: np.random.Generator) -> None:
        self.problem = problem
        self.strategy = strategy
        self.rng = rng
        self.seen: set[bytes] = set()
        self.evaluations = 0
        self.surplus = SURPLUS[0]
        self.feasible_share = 1.0
        """Of the last generation."""
        self.best: tuple[float, Population, Evaluation] | None = None
        self.nearest: tuple[float, Population, Evaluation] | None = None

    def generation(self, n: int) -> tuple[Population, float]:
        """Bear n or some more feasible, unseen architectures and tell the strategy of all that were evaluated.

        Returns:
            The feasible newborn, and the share of the evaluated that were feasible.
        """
        evaluated: list[Population] = []
        outcomes: list[Evaluation] = []
        feasible = 0
        for _ in range(BIRTH_ROUNDS):
            missing = n - feasible
            if missing <= (1.0 - ENOUGH) * n:
                break
            wanted = math.ceil(MARGIN * missing / max(self.feasible_share, LEAST_SHARE))
            bred = math.ceil(self.surplus * wanted)
            candidates = self.strategy.ask(bred, self.rng)
            affordable = np.flatnonzero(self.problem.affordable(candidates))
            fresh = self._unseen(candidates[affordable], wanted)
            needed = affordable[fresh[-1]] + 1 if len(fresh) else len(candidates)
            self.surplus = float(np.clip(MARGIN * needed / max(len(fresh), 1), *SURPLUS))
            candidates = candidates[affordable[fresh]]
            dry = len(candidates) * DRY < wanted
            if not len(candidates):
                break
            outcome = self.problem.evaluate(candidates)
            self.evaluations += len(candidates)
            feasible += int((outcome.shortfall == 0).sum())
            evaluated.append(candidates)
            outcomes.append(outcome)
            if dry:
                break
        if not evaluated:
            return np.empty((0, GENES), dtype=np.int16), 0.0
        population, evaluation = np.concatenate(evaluated), outcomes[0]
        for outcome in outcomes[1:]:
            evaluation = evaluation.join(outcome)
        self.strategy.tell(population, evaluation)
        self._remember(population, evaluation)
        self.feasible_share = feasible / len(population)
        return population[evaluation.shortfall == 0], self.feasible_share

    def _unseen(self, candidates: Population, most: int) -> list[int]:
        """Rows of the first `most` different candidates that this search has not evaluated; from now on it has."""
        keep: list[int] = []
        for index, row in enumerate(candidates):
            key = row.tobytes()
            if key not in self.seen:
                self.seen.add(key)
                keep.append(index)
                if len(keep) == most:
                    break
        return keep

    def _remember(self, population: Population, evaluation: Evaluation) -> None:
        """Keep the best feasible one, or while there is none, the one that misses by least."""
        first = evaluation.order()[:1]
        row, outcome = population[first], evaluation.take(first)
        if outcome.shortfall[0] == 0:
            if self.best is None or outcome.objective[0] > self.best[0]:
                self.best = (float(outcome.objective[0]), row, outcome)
        elif self.nearest is None or outcome.shortfall[0] < self.nearest[0]:
            self.nearest = (float(outcome.shortfall[0]), row, outcome)


def search(
    problem: Problem,
    strategy: Strategy,
    seed: int,
    budget: Budget | None = None,
    report: Callable[[Generation], None] | None = None,
) -> SearchResult:
    """Run a strategy on a problem.

    Args:
        problem: objective and limits.
        strategy: a fresh one.
        seed: everything drawn follows from it; the same seed gives the same result (unless time runs out).
        budget: how long.
        report: called after each generation.

    Returns:
        The best feasible architecture of all that were evaluated.

    Raises:
        InfeasibleError: nothing feasible was found; the message has the nearest miss.
    """
    budget = budget or Budget()
    start = time.perf_counter()
    run = _Search(problem, strategy, np.random.default_rng(seed))
    history: list[dict[str, float]] = []
    for iteration in range(budget.iterations + 1):
        born, feasible_share = run.generation(budget.population)
        if run.best is None and iteration >= PATIENCE:
            break
        if run.best is not None:
            objective, _, outcome = run.best
            history.append(
                {
                    "iteration": iteration,
                    "evaluations": run.evaluations,
                    "feasible_share": feasible_share,
                    "objective": objective,
                    **_values(outcome, 0),
                }
            )
        if report is not None:
            best = run.best[0] if run.best is not None else float("nan")
            report(Generation(iteration, budget.iterations, born, best))
        if time.perf_counter() - start > budget.seconds:
            break
    if run.best is None:
        raise InfeasibleError(_nearest_miss(problem, run))
    _, row, outcome = run.best
    return SearchResult(
        _candidates(problem, row, outcome)[0],
        run.evaluations,
        time.perf_counter() - start,
        seed,
        problem.limits.to_dict(),
        history,
        problem.space,
        provenance=dict(getattr(problem.predictor, "provenance_", {})),
        references=_references(problem),
    )


def _candidates(problem: Problem, population: Population, outcome: Evaluation) -> list[Candidate]:
    table = problem.space.layer_table(population)
    ends = [problem.quantile(outcome, (1 + side * COVERAGE) / 2) for side in (-1, 1)]
    return [
        Candidate(
            architecture,
            tuple(genome.tolist()),
            int(params),
            int(macs),
            _values(outcome, row),
            interval={
                name: (float(getattr(low, name)[row]), float(getattr(high, name)[row]))
                for low, high in [ends]
                for name in PREDICTED
                if low is not None and high is not None
            },
        )
        for row, (architecture, genome, params, macs) in enumerate(
            zip(problem.space.decode(population), population, table.params(), table.macs(), strict=True)
        )
    ]


def _values(outcome: Evaluation, row: int) -> dict[str, float]:
    return {name: float(getattr(outcome, name)[row]) for name in PREDICTED}


def _references(problem: Problem) -> list[Candidate]:
    """The reference networks that meet the same limits on costs, best predicted accuracy first."""
    population = problem.space.encode(REFERENCES.values())
    affordable = problem.affordable(population)
    names = [name for name, fits in zip(REFERENCES, affordable, strict=True) if fits]
    population = population[affordable]
    if not names:
        return []
    found = _candidates(problem, population, problem.evaluate(population))
    named = [replace(candidate, name=name) for name, candidate in zip(names, found, strict=True)]
    return sorted(named, key=lambda candidate: -candidate.predicted["accuracy_1d"])


def _nearest_miss(problem: Problem, run: _Search) -> str:
    if run.nearest is None:
        return "the strategy found no architecture within the cost limits"
    _, row, outcome = run.nearest
    params = int(problem.space.params(row)[0])
    limits = problem.limits
    asked = [f"a predicted AVM of at most {limits.max_avm:g}"] if np.isfinite(limits.max_avm) else []
    asked += [f"a predicted 1-day accuracy of at least {limits.min_accuracy:g}"] if limits.min_accuracy else []
    sure = "" if limits.confidence is None else f" with a probability of {limits.confidence:g}"
    return (
        f"none of {run.evaluations:,} architectures within the cost limits has {' and '.join(asked)}{sure}; the "
        f"nearest has AVM {outcome.avm[0]:.4f} and accuracy {outcome.accuracy_1d[0]:.4f}, with {params:,} parameters: "
        f"{problem.space.decode(row)[0]}"
    )
