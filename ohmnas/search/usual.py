"""What a search is asked where nobody says otherwise: accuracies that are worth finding, and networks that are known.

A network that guesses neither spreads nor varies. So tight limits on the AVM, or an objective that divides by the
spread, draw a search to where nothing is learned, and it may never come back: it needs a floor, and a good beginning.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.search.problem import Problem
from ohmnas.search.report import references
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace


class _Calibration(Protocol):
    @property
    def values(self) -> npt.NDArray[np.float64]: ...


class Learned(Protocol):
    """A fitted `Surrogate`."""

    @property
    def space_(self) -> ResNetSpace:
        """Of the networks that it learned from."""

    @property
    def calibration_(self) -> _Calibration:
        """Whose last value is the highest accuracy."""


def usual_floor(surrogate: Learned) -> float:
    """The accuracy half of the way from guessing to the best that the surrogate has learned of, in whole percents.

    The best is what the best measured networks that it cannot tell apart reach on average: the end of its calibration.
    """
    guessing = 1.0 / surrogate.space_.classes
    best = float(surrogate.calibration_.values[-1])
    return round((guessing + max(best, guessing)) / 2, 2)


def known_networks(problem: Problem) -> Population:
    """``(k, g)``: the reference networks that the limits on costs and the bounds on genes leave, to begin with.

    Where chips are searched too, each on the chip within the bounds that is best for it.
    """
    genomes = [candidate.genome for candidate in references(problem)]
    population = np.array(genomes, dtype=np.int16).reshape(-1, problem.genes)
    return population[problem.affordable(population)]
