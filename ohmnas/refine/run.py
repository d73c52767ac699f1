"""`refine`: alternate search and measurement, and fit the surrogate again each time.

A search over predictions finds networks unlike any that the surrogate was fitted to, and their predictions are too
optimistic. A refinement measures these networks. Each round fits the surrogate to all rows, shrinks the measurements
towards held-out predictions (`shrinkage`), and chooses a diverse batch (`batch`) to measure next. After the rounds, the
best networks are trained once more. The result is the best *measured* network, judged by the shrunk values.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ohmnas.datasets.campaign import kept
from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.cluster import Cluster
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS
from ohmnas.datasets.campaign.store import Store, identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import genomes
from ohmnas.errors import AllFailedError, InvalidValueError
from ohmnas.refine.batch import DEFAULT_SPLIT, LEADERS, Split, candidates, choose
from ohmnas.refine.journal import Chosen, Journal, Stage
from ohmnas.refine.shrinkage import FOLDS, Shrunk, ShrunkEstimator, shrunk_labels
from ohmnas.search import Budget, Problem, SearchResult
from ohmnas.search.archive import Archive
from ohmnas.search.candidate import Candidate
from ohmnas.search.defaults import reference_floor
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.report import candidates as as_candidates
from ohmnas.search.report import describe, references
from ohmnas.spaces.genes import Population, unseen
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.targets import TARGETS

FEWEST: Final = 20
"""With fewer measured networks, a refinement measures a plan before it fits a surrogate."""
FEWEST_FITTED: Final = -(-FEWEST_ROWS * FOLDS // (FOLDS - 1))
"""Smallest number of measured networks. With fewer, a surrogate for held-out predictions would be fitted to fewer than
`FEWEST_ROWS` networks."""
FURTHER_REPEATS: Final = 2
"""Largest number of further repeat stages. A stage is added while the best network has been trained only once."""
WEIGHTS: Final = 10
"""Number of best measured networks whose trained weights are kept."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Size of a refinement. All numbers except `seconds` include the work before an interruption."""

    rounds: int = 4
    """Rounds after the plan."""
    each: int = 12
    """Training runs in each round."""
    repeats: int = 3
    """Number of best networks that are trained once more after the rounds. If it is above 1, the reference network that
    sets limits is one of them, if it was trained. If a network with only one training run is then the best, it is
    trained once more (`FURTHER_REPEATS`)."""
    references: int = 1
    """Number of best reference networks within the limits to measure as well."""
    rows: float = math.inf
    """Largest number of training runs that the stages request, including training runs that the store already has."""
    seconds: float = math.inf
    """Wall time limit of each call in seconds; no training run starts after it."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InvalidValueError: a number is negative or NaN, a count is not a whole number, or a round has no training
                run.
        """
        for name in ("rounds", "repeats", "references", "rows", "seconds"):
            if not getattr(self, name) >= 0:
                raise InvalidValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        for name in ("rounds", "each", "repeats", "references"):
            if type(getattr(self, name)) is not int:
                raise InvalidValueError(f"{name} must be a whole number, not {getattr(self, name)}")
        if self.each < 1:
            raise InvalidValueError(f"each must be at least 1, not {self.each}")


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress report, made when a stage begins and after each training run."""

    stage: Stage
    number: int
    """Number of the stage, from 0."""
    done: int
    """Stored training runs of the stage."""
    row: Row | None
    """Row of the last training run; None when the stage begins."""


def refine(
    campaign: Campaign,
    store: Store,
    fit: Callable[[TrainingSet], Problem],
    effort: Effort = Effort(),
    *,
    seed: int = 0,
    above_reference: bool = True,
    split: Split = DEFAULT_SPLIT,
    budget: Budget | None = None,
    journal: Path | None = None,
    asked: Mapping[str, Any] | None = None,
    jobs: int = 1,
    cluster: Cluster | None = None,
    top: int = 1,
    report: Callable[[Progress], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Find the best measured network. Needs torch, unless the measurements run on a cluster.

    A refinement can be interrupted at any time. The same call then resumes from the stored rows and the journal.

    Args:
        campaign: how to measure: protocol, one chip, seed and limits. Its population is the plan. The plan is measured
            first if the store has fewer than `FEWEST` networks. The campaign's `keep` is a folder for trained networks.
            After each stage, only the `WEIGHTS` best networks and the `Effort.references` best references stay there.
        store: measured rows; the surrogate is fitted to the rows of the same chip and fidelity.
        fit: fits a surrogate to a training set and returns the search problem that uses it, for example
            ``lambda rows: Problem(rows.space, Surrogate.learn(rows).model_, limits)``.
        effort: rounds, training runs and time.
        seed: random seed of the searches and batches.
        above_reference: True to require an estimated accuracy no lower and an estimated AVM no larger than those of
            the best reference network (`search.defaults.reference_floor`).
        split: shares of a batch.
        budget: budget of the search in each round; None is its default.
        journal: file for the stages, needed to resume after an interruption; None keeps them in memory.
        asked: JSON values that identify the refinement, such as its limits; the journal stores them.
        jobs: number of local worker processes.
        cluster: Dask cluster to measure on, with all its workers; None measures in local processes.
        top: number of diverse measured networks to return.
        report: called when a stage begins and after each training run.
        clock: returns the time in seconds.

    Returns:
        Result with the best network whose shrunk values meet the limits (`SearchResult.best`). `Candidate.predicted`
        holds the shrunk values. They are computed from the measurement (`Candidate.measured`) and the held-out
        prediction (`Candidate.held_out`). `Candidate.weights` lists the folders of the kept trained networks. The
        history has one entry per complete stage.

    Raises:
        BrokenFileError: `journal` is not a journal file.
        InvalidValueError: the campaign has several chips or retries failed rows; the store's rows were measured with
            another protocol or other settings; the journal belongs to another refinement; or too few networks could be
            measured.
        InfeasibleError: no measured network meets the limits.
        AllFailedError: every training run of the plan failed.
        StorageError: a row or the journal could not be written; all earlier rows are stored.
    """
    if len(campaign.chips) != 1 or campaign.own_chips:
        raise InvalidValueError("a refinement needs a campaign with exactly one chip for all networks")
    if campaign.retry_failed:
        raise InvalidValueError(
            "a refinement does not repeat failed training runs: its campaign must not retry failed rows"
        )
    campaign.check(store)
    run = _Run(
        campaign,
        store,
        fit,
        effort,
        seed,
        above_reference,
        split,
        budget,
        Journal(journal, described_as(campaign, seed, asked or {})),
        report,
        clock,
    )
    standing = run.to_the_end(jobs, cluster)
    return run.result(standing, top)


def described_as(campaign: Campaign, seed: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON values that identify this refinement in its journal."""
    protocol = campaign.protocol
    return {
        "task": protocol.task.name,
        "space": protocol.task.space.name,
        "hardware": campaign.chips[0].name,
        "fidelity": protocol.fidelity.name,
        "measuring_seed": campaign.seed,
        "seed": seed,
        **asked,
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """State of a refinement after a stage."""

    data: TrainingSet
    surrogate_problem: Problem
    """Problem with the surrogate's predictions and the limits of `problem`."""
    problem: Problem
    """The same problem with shrunk values for measured networks. If `above_reference` is True, the best reference
    network sets limits."""
    shrunk: Shrunk
    evaluation: Evaluation
    """Shrunk values of all measured networks."""
    order: Any
    """``(k,)``: rows of `shrunk` within the limits on costs, best first."""

    @property
    def leaders(self) -> Population:
        """``(k, g)``: measured networks within the limits on costs, best first."""
        found: Population = self.shrunk.population[self.order]
        return found


def stand(data: TrainingSet, rows: Any, fit: Callable[[TrainingSet], Problem], above_reference: bool) -> Standing:
    """Fit a surrogate to the rows, and compare all measured networks by their shrunk values.

    Args:
        data: measured networks.
        rows: the table's rows of these networks, with repeats.
        fit: as in `refine`.
        above_reference: as in `refine`.
    """
    surrogate_problem = fit(data)
    shrunk = shrunk_labels(data, rows, lambda some: fit(some).estimator, seed=0)
    problem = replace(surrogate_problem, estimator=ShrunkEstimator(surrogate_problem.estimator, shrunk))
    if above_reference:
        problem = reference_floor(problem)
    surrogate_problem = replace(surrogate_problem, limits=problem.limits)
    evaluation = problem.evaluate(shrunk.population)
    order = evaluation.order()
    order = order[problem.affordable(shrunk.population)[order]]
    return Standing(data, surrogate_problem, problem, shrunk, evaluation, order)


@dataclass(slots=True)
class _Run:
    """A refinement in progress."""

    campaign: Campaign
    store: Store
    fit: Callable[[TrainingSet], Problem]
    effort: Effort
    seed: int
    above_reference: bool
    split: Split
    budget: Budget | None
    journal: Journal
    report: Callable[[Progress], None]
    clock: Callable[[], float]
    began: float = 0.0
    stopped: str = "iterations"

    def to_the_end(self, jobs: int, cluster: Cluster | None) -> Standing:
        """Run all stages and return the final state."""
        self.began = self.clock()
        standing: Standing | None = None
        while True:
            if self.journal.stages and self.journal.stages[-1].outcome is None:
                before = self.clock()
                complete = self._measure(self.journal.stages[-1], jobs, cluster)
                if not complete and len(self._measured()) < FEWEST_FITTED:
                    raise InvalidValueError(
                        f"a refinement needs {FEWEST_FITTED} measured networks, but had {len(self._measured())} at the "
                        "time limit: run it again to continue"
                    )
                standing = self._standing()
                self._forget_weights(standing)
                if not complete:
                    self.stopped = "seconds"
                    return standing
                self.journal.end(self._outcome(standing, self.clock() - before))
            if self._is_late() and self.journal.stages:
                self.stopped = "seconds"
                return standing or self._standing()
            if standing is None and (self.journal.stages or len(self._measured()) >= FEWEST):
                standing = self._standing()
            stage = self._plan() if standing is None else self._next(standing)
            if stage is None:
                return standing or self._standing()
            self.journal.begin(stage)
            standing = None

    def _is_late(self) -> bool:
        return self.clock() - self.began >= self.effort.seconds

    def _measured(self) -> set[tuple[object, ...]]:
        """Genomes of the networks measured on this chip at this fidelity, with any seed."""
        known = self.store.identities(failed=False, stopped=False)
        return {one[len(schema.KEY_COLUMNS) :] for one in known if one[:3] == self._names()}

    def _names(self) -> tuple[str, str, str]:
        protocol = self.campaign.protocol
        return protocol.task.name, self.campaign.chips[0].name, protocol.fidelity.name

    def _plan(self) -> Stage | None:
        """Return a stage with the networks of the plan that no earlier stage requested; None if there are none.

        Raises:
            InvalidValueError: there are too few networks to fit a surrogate.
        """
        done = {one.genome for stage in self.journal.stages for one in stage.chosen}
        plan = [tuple(genome) for genome in self.campaign.population.tolist()]
        left = [genome for genome in plan if genome not in done][: int(min(self.effort.rows, len(plan)))]
        if left and (networks := len(self._measured() | {*left})) < FEWEST_FITTED:
            raise InvalidValueError(
                f"a refinement needs at least {FEWEST_FITTED} networks for its first surrogate, but would have "
                f"{networks}: measure more first, or allow more training runs"
            )
        return Stage("plan", tuple(Chosen(genome, self.campaign.seed, "plan") for genome in left)) if left else None

    def _next(self, standing: Standing) -> Stage | None:
        """Return the next stage; None after the last."""
        left = self.effort.rows - self.journal.trainings
        if self.journal.count("round") < self.effort.rounds:
            reserved = min(self.effort.repeats, left)
            stage = self._round(standing, int(min(self.effort.each, left - reserved)))
            if stage is not None:
                return stage
        repeated = self.journal.repeats_at_the_end
        if not repeated:
            return self._repeat(standing, int(min(self.effort.repeats, left)))
        trained_once = len(standing.order) and standing.shrunk.trainings[standing.order[0]] == 1
        if self.effort.repeats and trained_once and repeated <= FURTHER_REPEATS:
            return self._repeat(standing, int(min(1, left)))
        return None

    def _round(self, standing: Standing, k: int) -> Stage | None:
        """Return a batch of k networks, unmeasured reference networks first; None if there is no new network."""
        if k < 1:
            return None
        tried = self._tried(standing)
        problem, leaders = standing.surrogate_problem, standing.leaders[:LEADERS]
        known = references(standing.problem)[: self.effort.references]
        first = unseen(np.array([one.genome for one in known], dtype=np.int16).reshape(-1, problem.genes), tried)[:k]
        tried = np.concatenate([tried, first])
        pool = candidates(problem, leaders, tried, self.seed, self.budget)
        chosen = [(genome, "reference") for genome in first]
        if len(pool):
            rows = choose(problem, pool, problem.evaluate(pool), tried, leaders, k - len(first), self.split)
            chosen += [(pool[row], part) for row, part in rows]
        if not chosen:
            return None
        predicted = problem.evaluate(np.array([genome for genome, _ in chosen], dtype=np.int16)).estimate
        return Stage(
            "round",
            tuple(
                Chosen(tuple(genome.tolist()), self.campaign.seed, part, predicted.row(row))
                for row, (genome, part) in enumerate(chosen)
            ),
        )

    def _tried(self, standing: Standing) -> Population:
        """``(n, g)``: networks with a stored row: measured, failed or diverged, but not stopped early."""
        names = self._names()
        keys = len(schema.KEY_COLUMNS)
        stored = [one[keys:] for one in self.store.identities(stopped=False) if one[:3] == names]
        return np.unique(np.array(stored, dtype=np.int16).reshape(-1, standing.problem.genes), axis=0)

    def _repeat(self, standing: Standing, k: int) -> Stage | None:
        """Return a stage that trains the best k networks again, each with its first unused seed.

        If fewer than k networks meet the limits, networks that narrowly miss them are included. The reference network
        sets limits, and training it again may relax them.
        """
        if k < 1:
            return None
        best = [tuple(genome) for genome in standing.leaders[:k].tolist()]
        name = standing.problem.limits.reference
        reference = next((one.genome for one in references(standing.problem) if one.name == name), None)
        if k > 1 and reference is not None and reference not in best and self._seeds(reference):
            best = [*best[: k - 1], reference]
        chosen = [Chosen(genome, self._free_seed(genome), "repeat") for genome in best]
        return Stage("repeat", tuple(chosen)) if chosen else None

    def _seeds(self, genome: Sequence[int]) -> set[int]:
        """Seeds with which a network was trained. Training runs that were stopped early do not count."""
        names, keys = self._names(), len(schema.KEY_COLUMNS)
        stored = self.store.identities(stopped=False)
        return {int(str(one[3])) for one in stored if one[:3] == names and one[keys:] == tuple(genome)}

    def _free_seed(self, genome: Sequence[int]) -> int:
        used = self._seeds(genome)
        seed = next(seed for seed in range(self.campaign.seed, VERIFICATION_SEEDS + 1) if seed not in used)
        if seed == VERIFICATION_SEEDS:
            raise InvalidValueError(
                f"all seeds from {self.campaign.seed} to {VERIFICATION_SEEDS - 1} were used for one network"
            )
        return seed

    def _measure(self, stage: Stage, jobs: int, cluster: Cluster | None) -> bool:
        """Measure a stage; return True if all of its rows are stored."""
        parts = [self._campaign(stage, seed) for seed in dict.fromkeys(one.seed for one in stage.chosen)]
        number = len(self.journal.stages) - 1
        done = sum(part.size - part.open_rows(self.store) for part in parts)
        self.report(Progress(stage, number, done, None))

        def tell(row: Row) -> None:
            nonlocal done
            done += 1
            self.report(Progress(stage, number, done, row))

        for part in parts:
            part.run(self.store, jobs, tell, cluster, lambda: not self._is_late())
        return not any(part.open_rows(self.store) for part in parts)

    def _campaign(self, stage: Stage, seed: int) -> Campaign:
        genomes = [one.genome for one in stage.chosen if one.seed == seed]
        return replace(self.campaign, population=np.array(genomes, dtype=np.int16), seed=seed)

    def _standing(self) -> Standing:
        """Return the current state.

        Raises:
            AllFailedError: every row failed.
            InvalidValueError: there are too few measured networks.
        """
        _, chip, fidelity = self._names()
        table = self.store.table(self.campaign.protocol.task)
        if not self._measured():
            mine = self._names()
            reasons = Counter(
                str(row["reason"])
                for row in self.store.rows()
                if identity(row)[:3] == mine and row["status"] == schema.STATUS_FAILED
            )
            why = f": {reasons.most_common(1)[0][0]}" if reasons else ""
            raise AllFailedError(f"no network could be measured{why}")
        data = TrainingSet.of(table, chip, fidelity)
        return stand(data, table.select(chip, fidelity), self.fit, self.above_reference)

    def _forget_weights(self, standing: Standing) -> None:
        """Remove kept trained networks, except the best networks and the best reference networks."""
        if self.campaign.keep is None:
            return
        known = [one.genome for one in references(standing.problem)[: self.effort.references]]
        leading = [*standing.shrunk.population[standing.order[:WEIGHTS]].tolist(), *known]
        kept.remove_others(self.campaign.keep, {name for genome in leading for name in self._weights(genome)})

    def _weights(self, genome: Sequence[int]) -> list[str]:
        """Return the folder names of a genome's kept trained networks."""
        if self.campaign.keep is None:
            return []
        _, chip, fidelity = self._names()
        return kept.kept(self.campaign.keep, genome, chip, fidelity)

    def _outcome(self, standing: Standing, seconds: float) -> dict[str, float]:
        """Return the stage's entry of the history."""
        stage, number = self.journal.stages[-1], len(self.journal.stages) - 1
        row = standing.order[0] if len(standing.order) else 0
        feasible = bool(len(standing.order)) and bool(standing.evaluation.feasible[row])
        before = self.journal.stages[-2].outcome if number else None
        entry: dict[str, float] = {
            "iteration": number,
            "evaluations": self.journal.trainings,
            "objective": float(standing.evaluation.objective[row]),
            "feasible": int(feasible),
            "networks": len(standing.shrunk.population),
            "seconds": (before["seconds"] if before else 0.0) + seconds,
            **standing.evaluation.estimate.row(int(row)),
        }
        if (optimism := self._optimism(stage, standing)) is not None:
            entry["optimism"] = optimism
        return entry

    def _optimism(self, stage: Stage, standing: Standing) -> float | None:
        """Mean predicted minus measured accuracy over networks chosen for their predictions; None if there are none."""
        found = []
        for one in stage.chosen:
            row = standing.shrunk.row(np.array(one.genome, dtype=np.int16)) if one.part == "best" else None
            if row is not None:
                found.append(one.predicted["accuracy_1d"] - standing.shrunk.measured["accuracy_1d"][row])
        return float(np.mean(found)) if found else None

    def result(self, standing: Standing, top: int) -> SearchResult:
        """Describe the best measured network.

        Raises:
            InfeasibleError: no measured network meets the limits.
        """
        archive, measured = Archive(), standing.order
        if len(measured):
            archive.add(standing.shrunk.population[measured], standing.evaluation.take(measured))
        history = [dict(stage.outcome) for stage in self.journal.stages if stage.outcome is not None]
        result = describe(
            standing.problem,
            archive,
            top=top,
            evaluations=len(measured),
            seconds=history[-1]["seconds"] if history else 0.0,
            seed=self.seed,
            history=history,
            stopped=self.stopped,
        )

        _, chip, fidelity = self._names()
        rows = self.store.table(self.campaign.protocol.task).select(chip, fidelity)

        def measured_ones(some: list[Candidate]) -> list[Candidate]:
            with_values = (with_measurement(one, standing.shrunk, rows) for one in some)
            return [replace(one, weights=tuple(self._weights(one.genome))) for one in with_values]

        return replace(
            result,
            best=measured_ones([result.best])[0],
            evaluations=self.journal.trainings,
            strategy="refine",
            top=measured_ones(result.top),
            front=measured_ones(result.front),
            tried=measured_ones(self._measured_candidates(standing)),
            references=measured_ones(result.references),
        )

    def _measured_candidates(self, standing: Standing) -> list[Candidate]:
        """Return the measured networks of this refinement, in the order of their first training run."""
        chosen = dict.fromkeys(one.genome for stage in self.journal.stages for one in stage.chosen)
        rows = [standing.shrunk.row(np.array(genome, dtype=np.int16)) for genome in chosen]
        measured = np.array([row for row in rows if row is not None], dtype=np.intp)
        if not len(measured):
            return []
        return as_candidates(standing.problem, standing.shrunk.population[measured], standing.evaluation.take(measured))


def with_measurement(candidate: Candidate, shrunk: Shrunk, rows: pd.DataFrame) -> Candidate:
    """Add the measurement and the held-out prediction of a network, if it was measured.

    Args:
        candidate: a network.
        shrunk: shrunk values of the measured networks.
        rows: the table's rows of the measured networks, with all targets.
    """
    row = shrunk.row(np.array(candidate.genome, dtype=np.int16))
    if row is None:
        return candidate
    return replace(
        candidate,
        measured={**_means(candidate, rows), **shrunk.measured.row(row)},
        held_out=shrunk.predicted.row(row),
        trainings=int(shrunk.trainings[row]),
    )


def _means(candidate: Candidate, rows: pd.DataFrame) -> dict[str, float]:
    """Return the mean of each target in the rows of a network."""
    own = rows[(genomes(rows) == np.array(candidate.genome)).all(axis=1)]
    means = {name: float(own[name].mean()) for name in TARGETS if name in own}
    return {name: mean for name, mean in means.items() if not np.isnan(mean)}
