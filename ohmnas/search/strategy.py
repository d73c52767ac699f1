"""The interface of a search strategy: it is asked for architectures and told what became of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ohmnas.search.problem import Evaluation
from ohmnas.spaces.genes import Population


class Strategy(Protocol):
    """Proposes populations; holds no file, no clock and no generator of its own."""

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """About n candidates; the loop drops what it has seen before and what exceeds the cost limits."""

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """What was evaluated: affordable architectures, feasible or not, none of them told before."""
