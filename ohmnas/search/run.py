"""The loop around a strategy: births within the limits, budget, history, what is remembered."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.search.archive import Archive
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.misses import beyond_predictions
from ohmnas.search.problem import Problem
from ohmnas.search.report import candidates, predictions, references
from ohmnas.search.result import SearchResult
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.genes import Population

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
LARGEST_POPULATION = 100_000
"""Births of a generation, at most, and candidates that are bred at once: more would take long to breed and to remember,
and a search that has more time has more generations."""
PIECE = 10_000
"""Candidates that are looked at between two looks at the clock: a few tenths of a second."""
PATIENCE = 50
"""Generations without anything feasible after which the problem is called infeasible."""
BARREN = 20
"""Generations in a row that propose nothing new after which a search ends."""
STANDING = 100
"""Of the best architectures, so many are saved for a search that goes on."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search; whatever comes first ends it."""

    population: int = 100
    """Births of a generation, up to `LARGEST_POPULATION`."""
    iterations: int = 200
    """Generations after the first; 0 searches only the first."""
    seconds: float = 3600.0
    """Wall time after which the search ends with what it has; looked at within generations too."""
    evaluations: float = math.inf
    """Architectures that the predictor is asked about, of all restarts together."""
    patience: float = math.inf
    """Generations in a row, of one start, that bring nothing better, and nothing to the front where one is wanted."""
    clock: Callable[[], float] = time.perf_counter
    """What tells the time, in seconds."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InvalidValueError: one is out of range, or no whole number where it counts something.
        """
        _whole("population", self.population, 1, LARGEST_POPULATION)
        _whole("iterations", self.iterations, 0)
        for name in ("seconds", "evaluations", "patience"):
            if not getattr(self, name) >= 0:
                raise InvalidValueError(f"{name} is a number from 0, not {getattr(self, name)}")


def _whole(name: str, value: object, least: int, most: float = math.inf) -> int:
    """The value, if it is a whole number, Python's or NumPy's, from least to most."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        largest = "" if most == math.inf else f" to {most:,}"
        raise InvalidValueError(f"{name} is a whole number from {least}{largest}, not {value!r}")
    return int(value)


@dataclass(frozen=True, slots=True)
class Generation:
    """What a progress report sees."""

    iteration: int
    iterations: int
    born: Population
    """``(m, g)``: the feasible newborn of this generation."""
    best_objective: float
    """Of the whole search so far; NaN if nothing feasible is known."""


class _Run:
    """State of one start of a strategy; the archive may be that of several."""

    def __init__(
        self, problem: Problem, strategy: Strategy, archive: Archive, known: Population, rng: np.random.Generator
    ) -> None:
        self.problem = problem
        self.strategy = strategy
        self.archive = archive
        self.rng = rng
        self.seen = set(_keys(known))
        self.surplus = 1.0  # first populations are sampled within the limits on costs
        self.feasible_share = 1.0
        """Of the last generation."""
        self.exhausted = False
        self.best = -math.inf
        """Objective of the best feasible one of this start."""

    def generation(self, n: int, most: float, given: Population) -> tuple[Population, int]:
        """Bear n or some more feasible, unseen architectures and tell the strategy of all that were evaluated.

        Args:
            n: births.
            most: evaluations that are left.
            given: architectures that are evaluated besides, whoever asks.

        Returns:
            The feasible newborn, and how many were evaluated.
        """
        parts: list[tuple[Population, Evaluation]] = []
        feasible = evaluated = 0
        for turn in range(BIRTH_ROUNDS):
            missing = n - feasible
            if missing <= (1.0 - ENOUGH) * n:
                break
            begin = given[: int(min(len(given), most))] if turn == 0 else given[:0]
            left = most - evaluated - len(begin)
            wanted = math.ceil(MARGIN * missing / max(self.feasible_share, LEAST_SHARE))
            wanted = int(min(wanted, MARGIN * LARGEST_POPULATION, left))
            candidates = self._candidates(wanted, begin)
            for start in range(0, len(candidates), PIECE):
                piece = candidates[start : start + PIECE]
                evaluation = self.problem.evaluate(piece)
                evaluated += len(piece)
                feasible += int(evaluation.feasible.sum())
                parts.append((piece, evaluation))
                if self.problem.clock.is_up():
                    break
            if len(candidates) * DRY < wanted or self.exhausted or self.problem.clock.is_up():
                break
        if not parts:
            return given[:0], 0
        population, evaluation = np.concatenate([part for part, _ in parts]), parts[0][1]
        if len(parts) > 1:
            evaluation = evaluation.join(*(part for _, part in parts[1:]))
        self.strategy.tell(population, evaluation)
        self.archive.add(population, evaluation)
        self.feasible_share = feasible / len(population)
        self.best = max(self.best, float(np.max(evaluation.objective, where=evaluation.feasible, initial=-math.inf)))
        return population[evaluation.feasible], evaluated

    def _candidates(self, wanted: int, given: Population) -> Population:
        """Of the given and up to `wanted` more, the affordable that were not seen before; from now on they were."""
        asked = wanted
        if self.strategy.disposable:
            asked = max(wanted, min(math.ceil(self.surplus * wanted), LARGEST_POPULATION))
        proposed = self.strategy.ask(asked, self.rng) if wanted > 0 else given[:0]
        self.exhausted = wanted <= 0 or not len(proposed)
        proposed = np.concatenate([given, proposed]) if len(given) else proposed
        most, fresh = wanted + len(given), np.empty(0, dtype=np.intp)
        for start in range(0, len(proposed), PIECE):
            affordable = start + np.flatnonzero(self.problem.affordable(proposed[start : start + PIECE]))
            unseen = affordable[self._unseen(proposed[affordable], most - len(fresh))]
            fresh = np.concatenate([fresh, unseen])
            if len(fresh) >= most or (len(fresh) and self.problem.clock.is_up()):
                break
        needed = fresh[-1] + 1 if len(fresh) else len(proposed)
        self.surplus = min(max(MARGIN * needed / max(len(fresh), 1), SURPLUS[0]), SURPLUS[1])
        return proposed[fresh]

    def _unseen(self, candidates: Population, most: int) -> list[int]:
        """Rows of the first `most` different candidates that this run has not evaluated; from now on it has."""
        keep: list[int] = []
        for index, key in enumerate(_keys(candidates)):
            if key not in self.seen:
                self.seen.add(key)
                keep.append(index)
                if len(keep) == most:
                    break
        return keep


def search(
    problem: Problem,
    make: Callable[[Problem], Strategy],
    seed: int,
    budget: Budget | None = None,
    report: Callable[[Generation], None] | None = None,
    *,
    given: Population | None = None,
    exclude: Population | None = None,
    restarts: int = 1,
    resume: SearchResult | None = None,
    top: int = 1,
) -> SearchResult:
    """Run a strategy on a problem. Ctrl-C ends it with what it has, once there is something.

    Args:
        problem: objective and limits.
        make: the strategy: `Evolution`, or a `functools.partial` of it with other parameters.
        seed: everything drawn follows from it; the same seed gives the same result (unless time runs out).
        budget: how long; generations are those of each restart.
        report: called after each generation.
        given: ``(k, g)`` architectures to begin with, beside what the strategy begins with.
        exclude: ``(k, g)`` architectures that are not asked for, because they are known.
        restarts: how often the strategy begins anew; the best of all is found.
        resume: the result of a search of the same problem to go on from: its best and its front begin, its history
            goes on.
        top: how many architectures that differ are wanted, best first.

    Returns:
        The best feasible architecture of all that were evaluated; where the problem wants a front, the member of the
        front with the highest objective.

    Raises:
        InfeasibleError: nothing feasible was found; the message has the nearest miss.
        InvalidValueError: the seed is none.
    """
    seed = _whole("the seed", seed, 0)  # NumPy's are no JSON
    budget = budget or Budget()
    none = problem.repair(np.empty((0, problem.genes), dtype=np.int16))
    begin = [none if given is None else given]
    if resume is not None:
        best_and_front = [candidate.genome for candidate in (resume.best, *resume.top, *resume.front)]
        begin = [np.array(best_and_front, dtype=np.int16), resume.population, *begin]
    excluded = none if exclude is None else exclude
    archive = Archive(problem)
    with problem.clock.running(budget.seconds, budget.clock):
        progress = _Progress(problem, archive, budget, report, resume)
        _run_all(progress, problem, make, seed, restarts, np.concatenate(begin), excluded)
    return _result(problem, archive, progress, seed, top)


def _run_all(
    progress: _Progress,
    problem: Problem,
    make: Callable[[Problem], Strategy],
    seed: int,
    restarts: int,
    begin: Population,
    excluded: Population,
) -> None:
    """Let all starts of a strategy run, or those for which there is time."""
    archive = progress.archive
    try:
        for restart in range(restarts):
            rng = np.random.default_rng([seed, restart, progress.before] if restart or progress.before else seed)
            run = _Run(problem, make(problem), archive, excluded, rng)
            progress.follow(run, restart, begin)
            if progress.over:
                break
    except KeyboardInterrupt:
        if archive.best is None:
            raise
        progress.stopped = "interrupted"
        if not progress.history:  # in the middle of the first generation
            progress.note(0, 0, 1.0)


class _Progress:
    """Counts, clock and history of all restarts together."""

    def __init__(
        self,
        problem: Problem,
        archive: Archive,
        budget: Budget,
        report: Callable[[Generation], None] | None,
        resume: SearchResult | None,
    ) -> None:
        self.problem = problem
        self.archive = archive
        self.budget = budget
        self.report = report
        self.start = budget.clock() - (resume.seconds if resume else 0.0)
        self.before = resume.evaluations if resume else 0
        self.evaluations = 0
        self.history: list[dict[str, float]] = list(resume.history) if resume else []
        self.stopped = "iterations"

    @property
    def over(self) -> bool:
        """Whether not even another restart can go on."""
        return self.stopped in {"seconds", "evaluations"}

    def follow(self, run: _Run, restart: int, given: Population) -> None:
        """Let one run go to its end."""
        idle = barren = 0
        self.stopped = "iterations"
        for iteration in range(self.budget.iterations + 1):
            before = run.best, self.archive.changes_of_front
            left = self.budget.evaluations - self.evaluations
            born, evaluated = run.generation(self.budget.population, left, given if iteration == 0 else given[:0])
            self.evaluations += evaluated
            idle = idle + 1 if before == (run.best, self.archive.changes_of_front) else 0
            barren = 0 if evaluated else barren + 1
            self.note(iteration, restart, len(born) / max(evaluated, 1))
            if self.report is not None:
                self.report(Generation(iteration, self.budget.iterations, born, self.archive.best_objective))
            if self.problem.clock.is_up():
                self.stopped = "seconds"
            elif self.evaluations >= self.budget.evaluations:
                self.stopped = "evaluations"
            elif (run.exhausted and not evaluated) or barren >= BARREN:
                self.stopped = "nothing new"
            elif idle >= self.budget.patience or self._hopeless(run, iteration):
                self.stopped = "patience"
            if self.stopped != "iterations":
                break

    def _hopeless(self, run: _Run, iteration: int) -> bool:
        """Whether nothing feasible is in sight; who needs an answer to each candidate may go through them in order."""
        return self.archive.best is None and iteration + 1 >= PATIENCE and run.strategy.disposable

    def note(self, iteration: int, restart: int, feasible_share: float) -> None:
        """Add to the history."""
        best = self.archive.best
        if best is not None:
            entry = {
                "iteration": self.history[-1]["iteration"] + 1 if self.history else iteration,
                "evaluations": self.before + self.evaluations,
                "feasible_share": feasible_share,
                "objective": self.archive.best_objective,
                **predictions(best[1], 0),
            }
            if restart:
                entry["restart"] = restart
            if self.problem.pareto:
                entry["hypervolume"] = self.archive.hypervolume
            self.history.append(entry)


def _result(problem: Problem, archive: Archive, progress: _Progress, seed: int, top: int) -> SearchResult:
    best, different, front = archive.found, archive.different(top), archive.front()
    if best is None or different is None:
        late = "; time was up" if progress.stopped == "seconds" else ""
        raise InfeasibleError(beyond_predictions(problem, archive.nearest, progress.evaluations) + late)
    return SearchResult(
        candidates(problem, *best)[0],
        progress.before + progress.evaluations,
        progress.budget.clock() - progress.start,
        seed,
        problem.to_dict(),
        progress.history,
        problem.space,
        objective=problem.objective.name,
        stopped=progress.stopped,
        top=candidates(problem, *different) if top > 1 else [],
        front=candidates(problem, *front) if front is not None else [],
        pareto=problem.pareto,
        population=archive.elite(STANDING),
        provenance=dict(getattr(problem.predictor, "provenance_", {})),
        references=references(problem),
    )


def _keys(population: Population) -> list[bytes]:
    """What tells architectures apart."""
    rows = np.ascontiguousarray(population, dtype=np.int16)
    keys: list[bytes] = rows.view(f"S{rows.shape[1] * rows.itemsize}").ravel().tolist()
    return keys
