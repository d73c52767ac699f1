"""Evolution by mutations in depth and width, after AnalogNAS (Benmeziane et al., IEEE EDGE 2023)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.selection import CHOICES, best_first
from ohmnas.spaces.codesign import CHIP_RATE
from ohmnas.spaces.genes import Population

AS_PUBLISHED: Final[dict[str, Any]] = {"selection": "elitism", "crossover": 0.0, "steps": 0}
"""Parameters of the evolution as published in AnalogNAS."""
LARGEST_TOURNAMENT: Final = 1000


@dataclass(slots=True, eq=False)
class Evolution:
    """Keeps the best architectures and breeds the next generation from them.

    Until a feasible architecture is known, the best architectures are those with the smallest violation of the limits.
    Afterwards, only feasible architectures breed.
    """

    problem: Problem
    keep: int = 80
    """Number of parents kept: AnalogNAS keeps 80 of 100."""
    selection: str = "youngest"
    """How survivors and parents are selected.

    - ``youngest``: the best of the offspring and the best parent survive; more parents compete if too few offspring are
      feasible. Tournaments choose which survivors breed. This is less greedy than elitism.
    - ``elitism``: the best offspring and parents survive and breed with equal probability, as in AnalogNAS.
    - ``tournament``, ``proportionate``: the best offspring and parents survive, and better survivors breed more often.
    """
    tournament: int = 5
    """Tournament size."""
    crossover: float = 0.3
    """Share of children with two parents. All children are mutated."""
    depth: float = 0.8
    """Probability of a mutation in depth."""
    width: float = 0.8
    """Probability of a mutation in width."""
    other: float = 0.6
    """Probability of a mutation of residual connections or the stem's kernel."""
    chip: float = CHIP_RATE
    """Probability of a mutation of the chip, if chips are searched too."""
    steps: int = 1
    """Number of survivors per generation whose neighbours are also proposed: the best survivors not used before.
    Neighbours fill at most half of a generation; the rest wait for the next one. Mutation alone finds the last
    improvement only by chance."""
    _parents: Population | None = field(default=None, repr=False)
    _standing: Evaluation | None = field(default=None, repr=False)
    _stepped: set[bytes] = field(default_factory=set, repr=False)
    _turns: int = field(default=0, repr=False)
    _waiting: Population = field(init=False, repr=False, compare=False)
    allows_oversampling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            InvalidValueError, UnknownNameError: a parameter is out of range, or the selection is unknown.
        """
        self._waiting = np.empty((0, self.problem.genes), dtype=np.int16)
        check_name("selection", CHOICES, self.selection)
        if self.tournament > LARGEST_TOURNAMENT:
            raise InvalidValueError(f"tournament must be at most {LARGEST_TOURNAMENT:,}, not {self.tournament:,}")
        for name in ("crossover", "depth", "width", "other", "chip"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidValueError(f"{name} must be a probability from 0 to 1, not {getattr(self, name)}")
        for name, least in (("keep", 1), ("tournament", 1), ("steps", 0)):
            if getattr(self, name) < least:
                raise InvalidValueError(f"{name} must be at least {least}, not {getattr(self, name)}")

    @property
    def parents(self) -> Population | None:
        """``(k, g)``: current parents, best first; None before the first generation."""
        return self._parents

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose a sample stratified by cost in the first generation, and children and neighbours afterwards."""
        if self._parents is None or self._standing is None:
            return self.problem.sample(n, rng)
        choose = CHOICES[self.selection]
        children = self._parents[choose(self._standing, n, rng, self.tournament)]
        if self.crossover > 0:
            fathers = self._parents[choose(self._standing, n, rng, self.tournament)]
            crossed = rng.random(n) < self.crossover
            children[crossed] = self.problem.cross(children[crossed], fathers[crossed], rng)
        rates = {"depth": self.depth, "width": self.width, "other": self.other, "chip": self.chip}
        children = self.problem.mutate(children, rng, rates)
        near = self._neighbours(self._parents, n // 2)
        children = children[: n - len(near)]
        order = np.argsort([*np.linspace(0, 1, len(near)), *np.linspace(0, 1, len(children))], kind="stable")
        return np.concatenate([near, children])[order]  # interleaved, because a search may drop the last candidates

    def _neighbours(self, parents: Population, most: int) -> Population:
        """Return at most `most` neighbours of the best parents not used before; the next call returns the rest."""
        for parent in parents:
            if self._turns <= 0:
                break
            if (genome := parent.tobytes()) not in self._stepped:
                self._stepped.add(genome)
                self._turns -= 1
                self._waiting = np.concatenate([self._waiting, self.problem.neighbours(parent)])
        near, self._waiting = self._waiting[:most], self._waiting[most:]
        return near

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Select the survivors from the offspring and the parents."""
        if self._parents is not None and self._standing is not None:
            if self.selection == "youngest":  # keep the best parent, and others if the feasible offspring are too few
                room = max(self.keep - int(evaluation.feasible.sum()), 1)
                old = np.arange(min(room, len(self._parents)))
            else:
                old = np.arange(len(self._parents))
            population = np.concatenate([population, self._parents[old]])
            evaluation = evaluation.join(self._standing.take(old))
        best = best_first(evaluation, self.keep)
        self._parents, self._standing = population[best], evaluation.take(best)
        self._turns = self.steps
