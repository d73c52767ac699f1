"""The search loop: it asks a strategy for offspring and evaluates them.

It also enforces the budget, and records the history and the archive.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.search.archive import Archive
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.report import describe
from ohmnas.search.result import SearchResult
from ohmnas.search.strategies import name_of
from ohmnas.search.strategies import strategy as strategy_called
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.genes import Population

OFFSPRING_ROUNDS = 3
"""Largest number of rounds per generation. Rounds after the first replace infeasible or repeated offspring. If some
are still missing after the last round, the generation is smaller than requested."""
MIN_YIELD = 0.25
"""Smallest ratio of new to wanted candidates in a round. A round below this ratio is the last of its generation."""
ENOUGH = 0.95
"""A generation is complete when it has this share of the requested feasible offspring."""
SURPLUS = (1.5, 20.0)
"""Smallest and largest ratio of proposed to wanted candidates. Each round sets the ratio for the next round. A surplus
of proposals pays off: most limits are cheap to check, and predictions are expensive."""
MARGIN = 1.1
"""Factor applied to the number of missing offspring: a few extra candidates cost less than another round."""
LEAST_SHARE = 0.25
"""Lower bound on the assumed feasible share. A round assumes the feasible share of the last generation and evaluates
enough candidates to fill the generation, because one large call is cheaper than several small ones."""
LARGEST_POPULATION = 100_000
"""Largest number of offspring per generation. A strategy is asked for at most `MARGIN` times as many candidates at
once. For a longer search, set more generations."""
PIECE = 10_000
"""Number of candidates between two checks of the deadline. Evaluating them takes a few tenths of a second."""
PATIENCE = 50
"""A start ends after this number of generations if no feasible architecture is known. Strategies that do not allow
oversampling continue."""
MAX_EMPTY_GENERATIONS = 20
"""A start ends after this number of consecutive generations without new candidates."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Length of a search; the first limit reached ends it."""

    population: int = 100
    """Offspring per generation, up to `LARGEST_POPULATION`."""
    iterations: int = 200
    """Generations of each start after its first one; 0 runs only the first one."""
    seconds: float = 3600.0
    """Wall time limit in seconds, also checked within generations."""
    evaluations: float = math.inf
    """Largest number of evaluated architectures, over all starts."""
    patience: float = math.inf
    """A start ends after this number of consecutive generations that improve neither the objective nor, if there is
    one, the front."""
    clock: Callable[[], float] = time.perf_counter
    """Returns the time in seconds."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InvalidValueError: a number is out of range, or a count is not a whole number.
        """
        _whole("population", self.population, 1, LARGEST_POPULATION)
        _whole("iterations", self.iterations, 0)
        for name in ("seconds", "evaluations", "patience"):
            if not getattr(self, name) >= 0:
                raise InvalidValueError(f"{name} must be a number, 0 or more, not {getattr(self, name)}")


def _whole(name: str, value: object, least: int, most: float = math.inf) -> int:
    """Return the value as an int if it is a whole number (Python or NumPy) from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        valid = f", {least} or more" if most == math.inf else f" from {least} to {most:,}"
        raise InvalidValueError(f"{name} must be a whole number{valid}, not {value!r}")
    return int(value)


BUDGETS = {"rank": Budget(20_000, 0), "grid": Budget(10_000, 1_000_000)}
"""Strategy -> default budget. All other strategies have AnalogNAS's budget: 100 offspring, 200 generations."""


def default_budget(strategy: str) -> Budget:
    """Return the default budget of a strategy."""
    return BUDGETS.get(strategy, Budget())


@dataclass(frozen=True, slots=True)
class Generation:
    """Progress report on one generation."""

    iteration: int
    iterations: int
    born: Population
    """``(m, g)``: feasible offspring of this generation."""
    best_objective: float
    """Best objective of the search so far; NaN if nothing feasible is known."""


class _Run:
    """State of one start of a strategy. All starts share the archive."""

    def __init__(
        self, problem: Problem, strategy: Strategy, archive: Archive, known: Population, rng: np.random.Generator
    ) -> None:
        self.problem = problem
        self.strategy = strategy
        self.archive = archive
        self.rng = rng
        self.seen = set(_keys(known))
        self.surplus = 1.0  # the first population is sampled within the limits on costs, so it needs no surplus
        self.feasible_share = 1.0
        """Feasible share of the last generation."""
        self.exhausted = False
        self.best = -math.inf
        """Best feasible objective of this start."""

    def generation(self, n: int, most: float, initial: Population) -> tuple[Population, int]:
        """Evaluate candidates until a share `ENOUGH` of n is feasible, and pass all evaluations to the strategy.

        Args:
            n: number of feasible offspring to find.
            most: largest number of evaluations, those left in the budget.
            initial: further architectures to evaluate, before the strategy's candidates.

        Returns:
            The feasible offspring and the number of evaluations.
        """
        parts: list[tuple[Population, Evaluation]] = []
        for turn in range(OFFSPRING_ROUNDS):
            missing = n - sum(int(evaluation.feasible.sum()) for _, evaluation in parts)
            if missing <= (1.0 - ENOUGH) * n:
                break
            left = most - sum(len(piece) for piece, _ in parts)
            first = initial[: int(min(len(initial), left))] if turn == 0 else initial[:0]
            wanted = self._wanted(missing, left - len(first))
            candidates = self._candidates(wanted, first)
            parts += self.problem.evaluate_in_pieces(candidates, PIECE)
            if len(candidates) < MIN_YIELD * wanted or self.exhausted or self.problem.clock.is_up():
                break
        if not parts:
            return initial[:0], 0
        population = np.concatenate([piece for piece, _ in parts])
        evaluation = parts[0][1]
        if len(parts) > 1:
            evaluation = evaluation.join(*(part for _, part in parts[1:]))
        self._tell(population, evaluation)
        return population[evaluation.feasible], len(population)

    def _wanted(self, missing: int, left: float) -> int:
        """Return how many candidates to evaluate to find about `missing` feasible ones; at most `left`."""
        wanted = math.ceil(MARGIN * missing / max(self.feasible_share, LEAST_SHARE))
        return int(min(wanted, MARGIN * LARGEST_POPULATION, left))

    def _tell(self, population: Population, evaluation: Evaluation) -> None:
        """Pass evaluations to the archive and the strategy; update the feasible share and the best objective.

        After the deadline, the strategy gets no evaluations, because there is no next generation.
        """
        if not self.problem.clock.is_up():
            self.strategy.tell(population, evaluation)
        self.archive.add(population, evaluation)
        self.feasible_share = float(evaluation.feasible.sum()) / len(population)
        self.best = max(self.best, float(np.max(evaluation.objective, where=evaluation.feasible, initial=-math.inf)))

    def _candidates(self, wanted: int, initial: Population) -> Population:
        """Return unseen, affordable rows of `initial` and of the strategy's proposals, and mark them as seen.

        The strategy may propose more than `wanted`. At most ``len(initial) + wanted`` rows are returned.
        """
        asked = wanted
        if self.strategy.allows_oversampling:
            asked = max(wanted, min(math.ceil(self.surplus * wanted), LARGEST_POPULATION))
        proposed = self.strategy.ask(asked, self.rng) if wanted > 0 else initial[:0]
        self.exhausted = wanted <= 0 or not len(proposed)
        proposed = np.concatenate([initial, proposed]) if len(initial) else proposed
        most, fresh = wanted + len(initial), np.empty(0, dtype=np.intp)
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
        """Return the rows of the first `most` unseen candidates, without duplicates, and mark them as seen."""
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
    strategy: str | Callable[[Problem], Strategy],
    seed: int,
    budget: Budget | None = None,
    report: Callable[[Generation], None] | None = None,
    *,
    initial: Population | None = None,
    exclude: Population | None = None,
    restarts: int = 1,
    resume: SearchResult | None = None,
    top: int = 1,
) -> SearchResult:
    """Run a strategy on a problem. Ctrl-C ends the search and returns the result so far, if there is one.

    Args:
        problem: objective and limits.
        strategy: a name in `strategies.STRATEGIES`, a class such as `Evolution`, or a `functools.partial` of a class
            with its parameters.
        seed: random seed; the same seed gives the same result, unless the time limit ends the search.
        budget: length of the search; each start has all its generations. None is the strategy's `default_budget`.
        report: called after each generation.
        initial: ``(k, g)`` initial architectures, in addition to the strategy's own.
        exclude: ``(k, g)`` architectures that are never evaluated.
        restarts: number of starts; the result is the best of all.
        resume: earlier result for the same problem. The search starts from its best architectures and its front, and
            appends to its history.
        top: number of diverse architectures to return, best first.

    Returns:
        Result with the best feasible architecture (`SearchResult.best`).

    Warns:
        UserWarning: the found network is smaller or larger than all networks that the surrogate was fitted to.

    Raises:
        InfeasibleError: nothing feasible was found; the message shows the nearest architecture.
        InvalidValueError: the seed or the number of restarts is invalid, or the result to resume is for a different
            space.
        UnknownNameError: the strategy is unknown.
        PluginError: the package that adds the strategy cannot be used.
    """
    restarts = _whole("the number of restarts", restarts, 1)
    seed = _whole("the seed", seed, 0)  # converted, because JSON has no NumPy numbers
    name = strategy if isinstance(strategy, str) else ""
    make = strategy_called(strategy) if isinstance(strategy, str) else strategy
    budget = budget or default_budget(name)
    none = np.empty((0, problem.genes), dtype=np.int16)
    starts = [none if initial is None else initial]
    if resume is not None:
        best_and_front = [candidate.genome for candidate in (resume.best, *resume.top, *resume.front)]
        if resume.space != problem.space:
            raise InvalidValueError(
                f"the result to resume is for {resume.space}, but the problem is for {problem.space}"
            )
        standing = resume.population if len(resume.population) else none
        starts = [np.array(best_and_front, dtype=np.int16), standing, *starts]
    excluded = none if exclude is None else exclude
    archive = Archive()
    with problem.clock.running(budget.seconds, budget.clock):
        progress = _Progress(problem, archive, budget, report, resume)
        _run_all(progress, problem, make, seed, restarts, np.concatenate(starts), excluded)
    result = describe(
        problem,
        archive,
        top=top,
        evaluations=progress.evaluations,
        seconds=budget.clock() - progress.start,
        seed=seed,
        history=progress.history,
        stopped=progress.stopped,
    )
    if result.extrapolation:
        warnings.warn(result.extrapolation, stacklevel=2)
    result = replace(result, evaluations=progress.before + progress.evaluations)
    return replace(result, strategy=name or name_of(make))


def _run_all(
    progress: _Progress,
    problem: Problem,
    make: Callable[[Problem], Strategy],
    seed: int,
    restarts: int,
    initial: Population,
    excluded: Population,
) -> None:
    """Run the starts of a strategy until all are done or the budget is used up."""
    archive = progress.archive
    try:
        for restart in range(restarts):
            rng = np.random.default_rng([seed, restart, progress.before] if restart or progress.before else seed)
            run = _Run(problem, make(problem), archive, excluded, rng)
            progress.follow(run, restart, initial)
            if progress.over:
                break
    except KeyboardInterrupt:
        if archive.best is None:
            raise
        progress.stopped = "interrupted"
        if not progress.history:  # interrupted in the first generation
            progress.note(0, 0, 1.0)


class _Progress:
    """Number of evaluations, stop reason and history over all starts."""

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
        """Return True if the budget of the whole search is used up."""
        return self.stopped in {"seconds", "evaluations"}

    def follow(self, run: _Run, restart: int, initial: Population) -> None:
        """Run one start to its end."""
        idle = empty = 0
        self.stopped = "iterations"
        for iteration in range(self.budget.iterations + 1):
            before = run.best, self.archive.changes_of_front
            left = self.budget.evaluations - self.evaluations
            born, evaluated = run.generation(self.budget.population, left, initial if iteration == 0 else initial[:0])
            self.evaluations += evaluated
            idle = idle + 1 if before == (run.best, self.archive.changes_of_front) else 0
            empty = 0 if evaluated else empty + 1
            self.note(iteration, restart, len(born) / max(evaluated, 1))
            if self.report is not None:
                self.report(Generation(iteration, self.budget.iterations, born, self.archive.best_objective))
            if self.problem.clock.is_up():
                self.stopped = "seconds"
            elif self.evaluations >= self.budget.evaluations:
                self.stopped = "evaluations"
            elif (run.exhausted and not evaluated) or empty >= MAX_EMPTY_GENERATIONS:
                self.stopped = "nothing new"
            elif idle >= self.budget.patience or self._hopeless(run, iteration):
                self.stopped = "patience"
            if self.stopped != "iterations":
                break

    def _hopeless(self, run: _Run, iteration: int) -> bool:
        """Return True after `PATIENCE` generations with nothing feasible. Strategies without oversampling continue."""
        return self.archive.best is None and iteration + 1 >= PATIENCE and run.strategy.allows_oversampling

    def note(self, iteration: int, restart: int, feasible_share: float) -> None:
        """Add a generation to the history, if a feasible architecture is known."""
        best = self.archive.best
        if best is not None:
            entry = {
                "iteration": self.history[-1]["iteration"] + 1 if self.history else iteration,
                "evaluations": self.before + self.evaluations,
                "feasible_share": feasible_share,
                "objective": self.archive.best_objective,
                **best[1].estimate.row(0),
            }
            if restart:
                entry["restart"] = restart
            if self.problem.pareto:
                entry["hypervolume"] = self.archive.hypervolume
            self.history.append(entry)


def _keys(population: Population) -> list[bytes]:
    """Keys that identify architectures."""
    rows = np.ascontiguousarray(population, dtype=np.int16)
    keys: list[bytes] = rows.view(f"S{rows.shape[1] * rows.itemsize}").ravel().tolist()
    return keys
