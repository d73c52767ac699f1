"""Bayesian optimisation with Optuna: tree-structured Parzen estimators (Bergstra et al., NeurIPS 2011)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.strategies.pending import NOT_EVALUATED, EvaluationRows
from ohmnas.spaces.genes import Population

_VIOLATION = "shortfall"


@dataclass(slots=True, eq=False)
class Bayesian:
    """Samples genes from values that are more frequent in good architectures than in the others."""

    problem: Problem
    startup: int = 100
    """Number of evaluations before Optuna proposes candidates. Until then, they are sampled, stratified by cost."""
    candidates: int = 24
    """Number of draws per proposal; the most promising one is proposed."""
    memory: int = 250
    """Number of best and latest architectures to keep. Each proposal takes longer with more architectures."""
    _study: Any = field(default=None, repr=False)
    _trials: list[tuple[Any, npt.NDArray[np.int16]]] = field(default_factory=list, repr=False)
    _evaluated: int = field(default=0, repr=False)
    allows_oversampling: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the parameters and import Optuna.

        Raises:
            MissingDependencyError: Optuna is not installed.
            InvalidValueError: a parameter is out of range.
        """
        try:
            import optuna
        except ImportError as error:
            raise MissingDependencyError.of("the strategy bayesian needs Optuna", "strategies", error) from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        for name in ("startup", "candidates", "memory"):
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample first, then Optuna's suggestions; fewer than n after the deadline.

        Suggestions that exceed the cost limits are reported to Optuna immediately, with a large violation.
        """
        if self._study is None:
            self._study = self._new_study(int(rng.integers(2**31)))
        if self._evaluated < self.startup:
            return self.problem.sample(n, rng)
        trials: list[Any] = []
        genomes: list[npt.NDArray[np.int16]] = []
        while len(trials) < n and not (trials and self.problem.clock.is_up()):
            trials.append(self._study.ask())
            genomes.append(self._suggest(trials[-1]))
        population = self.problem.repair(np.array(genomes, dtype=np.int16))
        for trial, genome, affordable in zip(trials, population, self.problem.affordable(population), strict=True):
            if affordable:
                self._trials.append((trial, genome))
            else:
                self._report(trial, [0.0] * max(len(self.problem.pareto), 1), NOT_EVALUATED)
        return population

    def _report(self, trial: Any, values: list[float], short: float) -> None:
        trial.set_constraint(_VIOLATION, short)
        self._study.tell(trial, values)

    def _new_study(self, seed: int) -> Any:
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", optuna.exceptions.ExperimentalWarning
            )  # `group`, for genes that may not exist, is experimental
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=1,
                n_ei_candidates=self.candidates,
                multivariate=True,
                group=True,
                constant_liar=False,
            )
        return optuna.create_study(sampler=sampler, directions=["minimize"] * max(len(self.problem.pareto), 1))

    def _suggest(self, trial: Any) -> npt.NDArray[np.int16]:
        genome = np.zeros(self.problem.genes, dtype=np.int16)
        for gene in _existing(self.problem, None):
            genome[gene] = self._draw(trial, gene)
        for gene in _existing(self.problem, genome):
            genome[gene] = self._draw(trial, gene)
        return genome

    def _draw(self, trial: Any, gene: int) -> int:
        values, low, high, step = self._range(gene)
        found = int(trial.suggest_int(str(gene), low, high, step=step))
        return found if values is None else int(values[found])

    def _range(self, gene: int) -> tuple[npt.NDArray[np.int16] | None, int, int, int]:
        """Return the smallest number, the largest number and the step of a gene in the study.

        The numbers are values of the gene if these are evenly spaced. Otherwise, they are indices into its values, and
        the first returned element holds these values; it is None if no indices are used.
        """
        values = self.problem.choices(gene)
        steps = np.unique(np.diff(values))
        if len(steps) > 1:
            return values, 0, len(values) - 1, 1
        return None, int(values[0]), int(values[-1]), int(steps[0]) if len(steps) else 1

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Pass the evaluations to Optuna. Proposals without an evaluation get a large violation."""
        import optuna

        if self._study is None:  # `tell` came before `ask`: the initial architectures used up the evaluations
            return
        self._evaluated += len(population)
        values = evaluation.minimised
        evaluated = EvaluationRows(population, evaluation)
        proposed = np.array([genome for _, genome in self._trials], dtype=np.int16).reshape(-1, self.problem.genes)
        rows = evaluated.rows(proposed)
        for (trial, _), row in zip(self._trials, rows, strict=True):
            if row >= 0:
                self._report(trial, values[row].tolist(), float(evaluation.shortfall[row]))
            else:
                self._report(trial, [0.0] * values.shape[1], NOT_EVALUATED)
        self._trials = []
        for row in evaluated.unasked(proposed):
            if self.problem.clock.is_up():
                return
            self._study.add_trial(self._trial(optuna, population[row], values[row], float(evaluation.shortfall[row])))
        self._forget(optuna)

    def _trial(self, optuna: Any, genome: npt.NDArray[np.int16], values: npt.NDArray[np.float64], short: float) -> Any:
        params, distributions = {}, {}
        for gene in (*_existing(self.problem, None), *_existing(self.problem, genome)):
            choices, low, high, step = self._range(gene)
            distributions[str(gene)] = optuna.distributions.IntDistribution(low, high, step=step)
            params[str(gene)] = int(genome[gene] if choices is None else np.searchsorted(choices, genome[gene]))
        return optuna.trial.create_trial(
            params=params, distributions=distributions, values=values.tolist(), constraints={_VIOLATION: short}
        )

    def _forget(self, optuna: Any) -> None:
        """Once the study has ``2 * memory`` trials, keep only the best and the latest, `memory` in all."""
        trials = self._study.get_trials(deepcopy=False)
        if len(trials) < 2 * self.memory:
            return
        done = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
        latest = done[-self.memory // 2 :]
        best = sorted(
            done[: -self.memory // 2], key=lambda trial: (trial.constraints.get(_VIOLATION, 0.0), sum(trial.values))
        )
        study = optuna.create_study(sampler=self._study.sampler, directions=self._study.directions)
        study.add_trials([*best[: self.memory - len(latest)], *latest])
        self._study = study


def _existing(problem: Problem, genome: npt.NDArray[np.int16] | None) -> list[int]:
    """Return the columns of the genes outside blocks if `genome` is None, else of the genes in its existing blocks."""
    genes = problem.space.genes
    if genome is None:
        return np.flatnonzero(genes.blocks == 0).tolist()
    return np.flatnonzero(genes.exists(genome[None])[0] & (genes.blocks > 0)).tolist()
