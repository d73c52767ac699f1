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
"""Parameters of the evolution as AnalogNAS describes it."""
LARGEST_TOURNAMENT: Final = 1000


@dataclass(slots=True, eq=False)
class Evolution:
    """Keeps the best, breeds the next generation from them.

    As long as nothing feasible is known, the best are those that miss the limits by least, so that the first
    generations walk towards feasibility; afterwards only feasible architectures breed.
    """

    problem: Problem
    keep: int = 80
    """Parents kept from each generation: AnalogNAS keeps 80 of 100."""
    selection: str = "youngest"
    """``youngest``: the best one and the youngest survive, and breed by tournament, which keeps a search moving;
    ``elitism``: the best survive and breed alike, as in AnalogNAS; ``tournament``, ``proportionate``: the best survive,
    and the better breed more."""
    tournament: int = 5
    """Drawn for each parent, where parents are chosen by tournament."""
    crossover: float = 0.3
    """Share of the children that have two parents; all are mutated."""
    depth: float = 0.8
    """Probability of a mutation in depth."""
    width: float = 0.8
    """Probability of a mutation in width."""
    other: float = 0.6
    """Probability of a mutation of the residual connections or the stem's kernel."""
    chip: float = CHIP_RATE
    """Probability that the chip changes, where chips are searched too."""
    steps: int = 1
    """In each generation, so many survivors whose neighbours are asked about, as far as there is room beside children:
    the best that had not had their turn. Mutation alone leaves the last step to chance."""
    _parents: Population | None = field(default=None, repr=False)
    _standing: Evaluation | None = field(default=None, repr=False)
    _stepped: set[bytes] = field(default_factory=set, repr=False)
    _turns: int = field(default=0, repr=False)
    _waiting: Population = field(init=False, repr=False, compare=False)
    disposable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises:
            InvalidValueError, UnknownNameError: one is out of range, or there is no such selection.
        """
        self._waiting = np.empty((0, self.problem.genes), dtype=np.int16)
        check_name("selection", CHOICES, self.selection)
        if self.tournament > LARGEST_TOURNAMENT:
            raise InvalidValueError(f"tournament is at most {LARGEST_TOURNAMENT:,}, not {self.tournament:,}")
        for name in ("crossover", "depth", "width", "other", "chip"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidValueError(f"{name} is a probability, 0 to 1, not {getattr(self, name)}")
        for name, least in (("keep", 1), ("tournament", 1), ("steps", 0)):
            if getattr(self, name) < least:
                raise InvalidValueError(f"{name} must be at least {least}, not {getattr(self, name)}")

    @property
    def parents(self) -> Population | None:
        """``(k, g)``: those that breed now, best first; None before the first generation."""
        return self._parents

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """The first population is stratified by cost; later ones are children of chosen parents."""
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
        return np.concatenate([near, children])[order]  # side by side: a search may leave the last ones out

    def _neighbours(self, parents: Population, most: int) -> Population:
        """Neighbours of the best parents that had not had their turn; beyond `most` they wait for the next question."""
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
        """Unite the newborn with their parents and keep who survives."""
        if self._parents is not None and self._standing is not None:
            if self.selection == "youngest":  # of the parents the best and as many as the newborn leave room for
                room = max(self.keep - int(evaluation.feasible.sum()), 1)
                old = np.arange(min(room, len(self._parents)))
            else:
                old = np.arange(len(self._parents))
            population = np.concatenate([population, self._parents[old]])
            evaluation = evaluation.join(self._standing.take(old))
        best = best_first(evaluation, self.keep)
        self._parents, self._standing = population[best], evaluation.take(best)
        self._turns = self.steps
