"""Policy gradients over genes (REINFORCE: Williams, 1992; for architectures: Zoph and Le, ICLR 2017)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.problem import Problem
from ohmnas.search.strategies.alphabet import MOST, Alphabet, Letters, Reward
from ohmnas.spaces.genes import Population

_FIRST_SAMPLE = 500
"""Number of affordable architectures that initialise the policy."""
_FORGET = 0.9
"""Decay of the baseline per generation."""


@dataclass(slots=True, eq=False)
class Reinforce:
    """One distribution over the choices of each gene, initialised from a sample of affordable architectures.

    Choices whose rewards are above the moving mean become more probable. An entropy bonus maintains exploration.
    """

    problem: Problem
    learning_rate: float = 20.0
    """Step size along the gradient of the mean reward."""
    entropy: float = 0.003
    """Weight of the entropy bonus."""
    _alphabet: Alphabet = field(init=False, repr=False)
    _logits: npt.NDArray[np.float64] | None = field(default=None, repr=False)
    _reward: Reward = field(default_factory=Reward, repr=False)
    _baseline: float = field(default=0.0, repr=False)
    allows_oversampling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the parameters and list the choices of each gene.

        Raises:
            InvalidValueError: a parameter is out of range.
        """
        if not 0 < self.learning_rate < np.inf or not 0 <= self.entropy < np.inf:
            raise InvalidValueError(
                f"learning_rate must be above 0 and entropy at least 0, not {self.learning_rate} and {self.entropy}"
            )
        self._alphabet = Alphabet.of(self.problem)

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Sample from the policy; the first call initialises it."""
        if self._logits is None:
            self._logits = self._begin(self._alphabet.read(self.problem.sample(_FIRST_SAMPLE, rng)))
        ends = np.cumsum(_shares(self._logits), axis=1)
        drawn = rng.random((n, self.problem.genes))
        letters = (drawn[:, :, None] > ends[None, :, :-1]).sum(axis=2)
        return self.problem.repair(self._alphabet.write(letters, rng))

    def _begin(self, letters: Letters) -> npt.NDArray[np.float64]:
        """``(g, MOST)``: log frequency of each choice, with 0.5 added to each count; -inf in unused columns."""
        logits = np.full((self.problem.genes, MOST), -np.inf)
        for gene, size in enumerate(self._alphabet.sizes):
            column = letters[:, gene]
            logits[gene, :size] = np.log(np.bincount(column[column >= 0], minlength=size) + 0.5)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Take one gradient step and update the baseline."""
        if self._logits is None:
            return
        reward = self._reward(evaluation.objective, evaluation.feasible)
        advantage = (reward - self._baseline) / len(population)
        self._baseline = _FORGET * self._baseline + (1.0 - _FORGET) * float(reward.mean())
        letters, shares = self._alphabet.read(population), _shares(self._logits)
        for gene, size in enumerate(self._alphabet.sizes):
            rows = letters[:, gene] >= 0
            here, share = shares[gene, :size], advantage[rows]
            taken = np.bincount(letters[rows, gene], share, minlength=size)
            open_ = -here * (np.log(here + 1e-12) - (here * np.log(here + 1e-12)).sum())
            self._logits[gene, :size] += self.learning_rate * (taken - share.sum() * here + self.entropy * open_)


def _shares(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares
