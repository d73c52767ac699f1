"""The interface of a search strategy: it is asked for architectures and told what became of them."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population


class Strategy(Protocol):
    """Proposes populations; holds no file, no clock and no generator of its own."""

    disposable: ClassVar[bool]
    """Whether the search may ask for more than it evaluates and leave the rest out: so it fills a generation in one
    round. Strategies that need an answer to each candidate say no."""

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """About n candidates; none if nothing is left to propose, which ends the search.

        The search drops what it has seen before and what exceeds the limits on costs.
        """

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """What was evaluated: affordable architectures, feasible or not, none told before, some not asked for."""
