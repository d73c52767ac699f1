"""Interface of a search strategy: `ask` proposes architectures, and `tell` receives their evaluations."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population


class Strategy(Protocol):
    """Proposes populations. It writes no files, and has no clock and no random generator of its own."""

    allows_oversampling: ClassVar[bool]
    """True if the search may request more candidates than it evaluates and drop the rest, to fill a generation in one
    round. False for strategies that need every evaluation."""

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Propose about n candidates; an empty population ends the current start.

        The search drops candidates that it has seen before or that exceed the limits on costs.
        """

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Receive new evaluations of affordable architectures, feasible or not.

        Some of the architectures may not come from `ask`.
        """
