"""What became of candidates: some that were asked for have no answer, and some answers were not asked for."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population

NO_ANSWER: Final = 1e6
"""Violation of candidates that the search did not evaluate: too expensive, or known before."""


class Answers:
    """Finds the row of a candidate in what was told."""

    def __init__(self, population: Population, evaluation: Evaluation) -> None:
        """Remember which row is whose."""
        self.evaluation = evaluation
        rows = np.ascontiguousarray(population, dtype=np.int16)
        self._row = {genome.tobytes(): row for row, genome in enumerate(rows)}

    def rows(self, candidates: Population) -> npt.NDArray[np.intp]:
        """``(n,)``: the row of each candidate; -1 where it has no answer."""
        wanted = np.ascontiguousarray(candidates, dtype=np.int16)
        return np.array([self._row.get(genome.tobytes(), -1) for genome in wanted], dtype=np.intp)

    def unasked(self, candidates: Population) -> npt.NDArray[np.intp]:
        """``(m,)``: rows that are of no candidate."""
        asked = {genome.tobytes() for genome in np.ascontiguousarray(candidates, dtype=np.int16)}
        return np.array([row for genome, row in self._row.items() if genome not in asked], dtype=np.intp)
