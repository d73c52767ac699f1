"""The AnalogNAS evolution (Benmeziane et al., IEEE EDGE 2023): elitist selection, mutations in depth and width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohmnas.search.problem import Evaluation, Problem
from ohmnas.spaces.genes import Population


@dataclass(slots=True)
class Evolution:
    """Keeps the best, breeds the next generation from them by mutation.

    As long as nothing feasible is known, the best are those that miss the limits by least, so that the first
    generations walk towards feasibility; afterwards only feasible architectures breed.
    """

    problem: Problem
    keep: int = 80
    """Parents kept from each generation: AnalogNAS keeps 80 of 100."""
    _parents: Population | None = None
    _standing: Evaluation | None = None

    @property
    def parents(self) -> Population | None:
        """``(k, g)``: those that breed now, best first; None before the first generation."""
        return self._parents

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """The first population is stratified by cost; later ones are mutants of parents drawn evenly."""
        if self._parents is None:
            return self.problem.sample(n, rng)
        return self.problem.space.mutate(self._parents[rng.integers(len(self._parents), size=n)], rng)

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Unite the newborn with their parents and keep the best."""
        if self._parents is not None and self._standing is not None:
            population = np.concatenate([self._parents, population])
            evaluation = self._standing.join(evaluation)
        best = evaluation.order()[: self.keep]
        if (evaluation.shortfall == 0).any():
            best = best[evaluation.shortfall[best] == 0]
        self._parents, self._standing = population[best], evaluation.take(best)
