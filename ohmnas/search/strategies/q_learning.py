"""Q-learning over choices, gene by gene (MetaQNN: Baker et al., ICLR 2017)."""

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

_START = 0.5
"""Initial value of each choice."""
_LARGEST_REPLAY = 100_000
_REMEMBERED = 50
"""Generations kept for replay."""


@dataclass(slots=True, eq=False)
class QLearning:
    """Learns a table with the value of each choice, given the choice for the previous gene.

    A falling share of the proposals, the explorers, is sampled from the affordable architectures. All other proposals
    take the best choices, except for a few random ones. Architectures that are too expensive get a reward of 0.
    """

    problem: Problem
    explore_for: int = 2000
    """Exploration falls linearly from 1 to `least_exploration`. Without this minimum, it would be 0 after this number
    of evaluations."""
    least_exploration: float = 0.1
    """Final share of explorers. Half of it is the share of random choices in all other proposals."""
    learning_rate: float = 0.1
    """Step size per evaluated architecture."""
    replay: int = 512
    """Earlier evaluations replayed per generation, drawn with replacement."""
    _alphabet: Alphabet = field(init=False, repr=False)
    _values: npt.NDArray[np.float64] = field(init=False, repr=False)
    _memory: list[tuple[Letters, npt.NDArray[np.float64]]] = field(default_factory=list, repr=False)
    _reward: Reward = field(default_factory=Reward, repr=False)
    _evaluated: int = field(default=0, repr=False)
    _rng: np.random.Generator | None = field(default=None, repr=False)
    allows_oversampling: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the parameters and create the table.

        Raises:
            InvalidValueError: a parameter is out of range.
        """
        if not 0 < self.learning_rate <= 1:
            raise InvalidValueError(f"learning_rate must be above 0 and at most 1, not {self.learning_rate}")
        if not 0 <= self.least_exploration <= 1:
            raise InvalidValueError(f"least_exploration must be from 0 to 1, not {self.least_exploration}")
        if self.explore_for < 1:
            raise InvalidValueError(f"explore_for must be at least 1, not {self.explore_for}")
        if not 1 <= self.replay <= _LARGEST_REPLAY:
            raise InvalidValueError(f"replay must be from 1 to {_LARGEST_REPLAY:,}, not {self.replay}")
        self._alphabet = Alphabet.of(self.problem)
        self._values = np.full((self.problem.genes, MOST, MOST), _START)
        for gene, size in enumerate(self._alphabet.sizes):
            self._values[gene, :, size:] = -np.inf

    @property
    def exploration(self) -> float:
        """Current share of explorers."""
        return max(self.least_exploration, 1.0 - self._evaluated / self.explore_for)

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose explorers and affordable greedy samples; the table learns a reward of 0 for unaffordable ones."""
        self._rng = rng
        explorers = rng.binomial(n, self.exploration)
        followers = self._follow(n - explorers, rng)
        population = self.problem.repair(self._alphabet.write(followers, rng))
        affordable = self.problem.affordable(population)
        self._learn(self._alphabet.read(population[~affordable]), np.zeros(int((~affordable).sum())))
        return np.concatenate([population[affordable], self.problem.sample(explorers, rng)])

    def _follow(self, n: int, rng: np.random.Generator) -> Letters:
        genes = self._alphabet.genes
        letters = np.zeros((n, self.problem.genes), dtype=np.intp)
        before = np.zeros(n, dtype=np.intp)
        blocks = np.full(n, np.iinfo(np.int16).max)
        for gene, size in enumerate(self._alphabet.sizes):
            worth = self._values[gene, before] + 1e-6 * rng.random((n, MOST))
            straying = rng.random(n) < self.least_exploration / 2
            letters[:, gene] = np.where(straying, rng.integers(size, size=n), worth.argmax(axis=1))
            if genes.depth and gene == genes.depth_column:
                blocks = self._alphabet.first[gene][letters[:, gene]]
            before = np.where(genes.blocks[gene] <= blocks, letters[:, gene], 0)  # 0 if missing, as in `_learn`
        return letters

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Learn from these evaluations and replay some from the last `_REMEMBERED` generations."""
        letters = self._alphabet.read(population)
        reward = self._reward(evaluation.objective, evaluation.feasible)
        self._memory = [*self._memory[1 - _REMEMBERED :], (letters, reward)]
        self._evaluated += len(population)
        self._learn(letters, reward)
        if self._rng is not None:
            every = np.concatenate([part for part, _ in self._memory])
            rewards = np.concatenate([part for _, part in self._memory])
            again = self._rng.integers(len(every), size=self.replay)
            self._learn(every[again], rewards[again])

    def _learn(self, letters: Letters, reward: npt.NDArray[np.float64]) -> None:
        """Move the value of each choice towards a weighted mean of the reward and the best value of the next choice.

        The weight of the reward is 1 / n, where n is the number of choices from this choice to the last.

        All choices get the reward (reward shaping: Zhong et al., CVPR 2018). The table conditions only on the
        previous choice, so the learned value two genes later does not depend on the option chosen here. With a reward
        for the last choice alone, all options of an early gene would therefore look equally good.
        """
        goal = reward.copy()
        left = np.zeros(len(reward))
        for gene in range(self.problem.genes - 1, -1, -1):
            rows = np.flatnonzero(letters[:, gene] >= 0)
            if not len(rows):
                continue
            left[rows] += 1.0
            goal[rows] += (reward[rows] - goal[rows]) / left[rows]
            before = np.maximum(letters[rows, gene - 1], 0) if gene else np.zeros(len(rows), dtype=np.intp)
            place = np.ravel_multi_index((before, letters[rows, gene]), (MOST, MOST))
            count = np.bincount(place, minlength=MOST * MOST)
            total = np.bincount(place, goal[rows], minlength=MOST * MOST)
            here = np.flatnonzero(count)
            values = self._values[gene].reshape(-1)
            share = 1.0 - (1.0 - self.learning_rate) ** count[here]
            values[here] += share * (total[here] / count[here] - values[here])
            goal[rows] = self._values[gene, before].max(axis=1)
