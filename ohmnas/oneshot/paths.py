"""Paths: the networks that each training step of a supernet updates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.lookup import check_name
from ohmnas.oneshot.rules import RULES
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

ROUND: Final = 64
"""Number of paths that are drawn at once."""
_BATCHES: Final = 8
"""Largest number of batches of proposals for a round."""
_SHRUNK: Final = 0.5
"""Share of the training after which `shrinking` draws from all sizes."""
_LARGEST_SHARE: Final = 0.5
"""Lower bound on the parameters of a path at the start of `shrinking`, as a share of the parameters of the largest
network."""
_RANDOM_PATHS: Final = 2
"""Number of random paths in a step of the sandwich rule."""


@dataclass(frozen=True)
class Paths:
    """Draws the paths of each step. They depend only on the seed, the step and the number of steps.

    Paths are spread evenly over the logarithm of the number of parameters (`Space.sample`), like the networks of a
    campaign.
    """

    space: Space
    within: Bounds
    """Bounds on genes."""
    max_params: float
    max_macs: float
    rule: str
    """One of `rules.RULES`."""
    seed: int
    _rounds: dict[int, Population] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Number of the current round -> its paths."""

    def __post_init__(self) -> None:
        """Check the rule.

        Raises:
            UnknownNameError: the rule is unknown.
        """
        check_name("rule", RULES, self.rule)

    @property
    def each(self) -> int:
        """Number of paths per step."""
        return 2 + _RANDOM_PATHS if self.rule == "sandwich" else 1

    def of(self, step: int, steps: int) -> Population:
        """``(k, g)``: paths of a step; with the sandwich rule, the large path comes first.

        Args:
            step: number of the step, from 0.
            steps: total number of steps.

        Raises:
            InfeasibleError: no network was found within the bounds and limits.
        """
        number, place = divmod(step, ROUND)
        if number not in self._rounds:
            self._rounds.clear()
            self._rounds[number] = self._sample(
                ROUND, [self.seed, number], self.smallest_params(number * ROUND / steps)
            )
        drawn = self._rounds[number]
        if self.rule != "sandwich":
            return drawn[[place % len(drawn)]]
        random = [(_RANDOM_PATHS * place + turn) % len(drawn) for turn in range(_RANDOM_PATHS)]
        macs = self.space.macs(drawn)
        large = drawn[np.argsort(-macs, kind="stable")[place % max(len(drawn) // 8, 1)]]
        population: Population = np.concatenate([large[None], self._smallest[None], drawn[random]])
        return population

    def smallest_params(self, progress: float) -> float:
        """Smallest number of parameters of a path; 0 is no limit.

        Args:
            progress: share of all steps that are done, in [0, 1).
        """
        if self.rule != "shrinking" or progress >= _SHRUNK:
            return 0.0
        low, high = float(self._sizes.min()), _LARGEST_SHARE * float(self._sizes.max())
        if high <= low:
            return 0.0
        return math.exp(math.log(high) + (math.log(low) - math.log(high)) * progress / _SHRUNK)

    @cached_property
    def _sizes(self) -> npt.NDArray[np.int64]:
        return self.space.params(self._some)

    @cached_property
    def _some(self) -> Population:
        """Networks of all sizes."""
        return self._sample(4 * ROUND, [self.seed], 0.0)

    @cached_property
    def _smallest(self) -> npt.NDArray[np.int16]:
        """The smallest network of `_some`."""
        smallest: npt.NDArray[np.int16] = self._some[int(self._sizes.argmin())]
        return smallest

    def _sample(self, n: int, seeds: list[int], min_params: float) -> Population:
        rng = np.random.default_rng(seeds)
        return self.space.sample(
            n,
            rng,
            self.max_params,
            self.max_macs,
            min_params,
            at_least=1,
            within=self.within,
            max_batches=_BATCHES,
        )
