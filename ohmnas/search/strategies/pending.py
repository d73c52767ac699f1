"""Match candidates with evaluations. Some candidates have no evaluation, and some evaluations have no candidate."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.search.evaluation import Evaluation
from ohmnas.spaces.genes import Population

NOT_EVALUATED: Final = 1e6
"""Violation assigned to candidates without an evaluation, which were too expensive or seen before."""


class EvaluationRows:
    """Looks up the rows of an evaluation by genome."""

    def __init__(self, population: Population, evaluation: Evaluation) -> None:
        """Index the rows by genome."""
        self.evaluation = evaluation
        rows = np.ascontiguousarray(population, dtype=np.int16)
        self._row = {genome.tobytes(): row for row, genome in enumerate(rows)}

    def rows(self, candidates: Population) -> npt.NDArray[np.intp]:
        """``(n,)``: row of each candidate; -1 if it has no evaluation."""
        wanted = np.ascontiguousarray(candidates, dtype=np.int16)
        return np.array([self._row.get(genome.tobytes(), -1) for genome in wanted], dtype=np.intp)

    def unasked(self, candidates: Population) -> npt.NDArray[np.intp]:
        """``(m,)``: rows of evaluated architectures that are not among the candidates."""
        asked = {genome.tobytes() for genome in np.ascontiguousarray(candidates, dtype=np.int16)}
        return np.array([row for genome, row in self._row.items() if genome not in asked], dtype=np.intp)
