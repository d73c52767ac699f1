"""NSGA-II (Deb et al., IEEE TEC 2002) from pymoo, with the mutations and crossover of the space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.strategies.pending import NOT_EVALUATED, EvaluationRows
from ohmnas.spaces.genes import Population

LARGEST = 1000
"""Largest number of survivors, and of individuals bred or ranked at once: ranking compares all pairs."""


@dataclass(slots=True, eq=False)
class Nsga2:
    """Searches for the Pareto front of a problem; without a front, maximises the objective.

    At most `LARGEST` individuals survive a generation, even if it has more offspring.
    """

    problem: Problem
    crossover: float = 0.9
    """Share of children with two parents. All children are mutated."""
    _algorithm: Any = field(default=None, repr=False)
    _pending: list[Any] = field(default_factory=list, repr=False)
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), repr=False)
    """Generator passed to the last `ask`. The initial value is replaced by the first `ask`."""
    allows_oversampling: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the parameters and import pymoo.

        Raises:
            MissingDependencyError: pymoo is not installed.
            InvalidValueError: a parameter is out of range.
        """
        try:
            import pymoo  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError.of("the strategy nsga2 needs pymoo", "strategies", error) from error
        if not 0 <= self.crossover <= 1:
            raise InvalidValueError(f"crossover must be a probability from 0 to 1, not {self.crossover}")

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample in the first generation, and offspring from pymoo afterwards; fewer after the deadline."""
        self._rng = rng
        if self._algorithm is None:
            return self.problem.sample(n, rng)
        bred = [self.problem.sample(0, rng)]
        for start in range(0, n, LARGEST):
            self._algorithm.n_offsprings = min(n - start, LARGEST)
            offspring = self._algorithm.ask()
            if offspring is None:  # pymoo has no new offspring
                break
            self._pending.append(offspring)
            bred.append(np.asarray(offspring.get("X"), dtype=np.int16).reshape(-1, self.problem.genes))
            if self.problem.clock.is_up():
                break
        return np.concatenate(bred)

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Pass the evaluations to pymoo. Proposals without an evaluation get the violation `NOT_EVALUATED`."""
        from pymoo.core.population import Population as Individuals

        losses, shortfall = evaluation.minimised, evaluation.shortfall
        if self._algorithm is None:
            first = Individuals.new(X=population.astype(int), F=losses, G=shortfall[:, None])
            self._algorithm = self._begin(first[:LARGEST], losses.shape[1])
            self._algorithm.tell(infills=self._algorithm.ask())
            self._rank(first[LARGEST:])
            return
        if not self._pending:
            return
        evaluated = EvaluationRows(population, evaluation)
        infills = Individuals.merge(*self._pending) if len(self._pending) > 1 else self._pending[0]
        rows = evaluated.rows(np.asarray(infills.get("X"), dtype=np.int16))
        infills.set("F", np.where((rows >= 0)[:, None], losses[rows], 0.0))
        infills.set("G", np.where(rows >= 0, shortfall[rows], NOT_EVALUATED)[:, None])
        self._pending = []
        self._rank(infills)

    def _rank(self, individuals: Any) -> None:
        """Pass individuals to pymoo, which selects the survivors; in pieces, until the deadline passes."""
        for individual in individuals:
            individual.evaluated = {"F", "G"}
        for start in range(0, len(individuals), LARGEST):
            self._algorithm.tell(infills=individuals[start : start + LARGEST])
            if self.problem.clock.is_up():
                break

    def _begin(self, first: Any, several: int) -> Any:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.crossover import Crossover
        from pymoo.core.duplicate import DuplicateElimination
        from pymoo.core.mutation import Mutation
        from pymoo.core.problem import Problem as Described
        from pymoo.core.termination import NoTermination

        def mutate(X: Any) -> Any:
            return self.problem.mutate(X.astype(np.int16), self._rng, {}).astype(int)

        def cross(X: Any) -> Any:
            mothers, fathers = X.astype(np.int16)
            pairs = ((mothers, fathers), (fathers, mothers))
            return np.stack([self.problem.cross(one, other, self._rng) for one, other in pairs]).astype(int)

        class Vary(Mutation):  # type: ignore[misc]
            """Mutations of the space."""

            def _do(self, problem: Any, X: Any, **_: Any) -> Any:  # noqa: ARG002 - required by pymoo
                return mutate(X)

        class Cross(Crossover):  # type: ignore[misc]
            """Crossover of the space."""

            def _do(self, problem: Any, X: Any, **_: Any) -> Any:  # noqa: ARG002 - required by pymoo
                return cross(X)

        class Unequal(DuplicateElimination):  # type: ignore[misc]
            """Drops duplicate genomes by comparing their bytes; pymoo's own class compares all pairs."""

            def _do(self, pop: Any, other: Any, is_duplicate: Any) -> Any:
                seen = set() if other is None else set(keys(other))
                for index, key in enumerate(keys(pop)):
                    is_duplicate[index] = key in seen
                    if other is None:
                        seen.add(key)
                return is_duplicate

        def keys(individuals: Any) -> list[bytes]:
            return [genome.tobytes() for genome in np.asarray(individuals.get("X"), dtype=np.int16)]

        genes = self.problem.genes
        algorithm = NSGA2(
            pop_size=len(first),
            sampling=first,
            crossover=Cross(2, 2, prob=self.crossover),
            mutation=Vary(prob=1.0),
            eliminate_duplicates=Unequal(),
        )
        high = np.full(genes, np.iinfo(np.int16).max)  # the operators above keep genes within the space
        described = Described(n_var=genes, n_obj=several, n_ieq_constr=1, xl=np.zeros(genes), xu=high)
        algorithm.setup(described, termination=NoTermination(), seed=int(self._rng.integers(2**31)), verbose=False)
        return algorithm
