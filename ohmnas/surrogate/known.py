"""`KnownNetworks`: predictions for the networks that a surrogate was trained on.

A model fits its training networks better than new ones: their scores are closer to their labels. One calibration
cannot serve both. The calibration for new networks is fitted to held-out scores. It would give the best measured
networks too high an accuracy, and a search starts from these networks. A model therefore stores an estimate for each
training network, a weighted mean of its label and its held-out prediction (`fit.stages.weigh_known`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.scales import Values

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier, 2 to the 64 over the golden ratio (Knuth, 1973); its powers are the weights of the genes in a key."""

_BELOW: Final = np.uint64(48)
"""Bits of a key below the first 16."""


@dataclass(frozen=True, slots=True)
class KnownNetworks:
    """Scores of n measured networks."""

    genomes: Population
    """``(n, g)``."""
    scores: Values
    """``(n,)``: scores on the scale of new networks; the calibration maps them to accuracies."""
    _keys: npt.NDArray[np.uint64] = field(init=False, repr=False, compare=False)
    """Keys of the genomes, increasing, without duplicates."""
    _rows: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)
    """Row of each key."""
    _begins: npt.NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    """``(2 ** 16,)``: True for values of the first 16 bits that occur in a key. This rejects most unknown genomes."""

    def __post_init__(self) -> None:
        """Sort the keys.

        Raises:
            InvalidValueError: the numbers of scores and genomes differ.
        """
        if self.genomes.ndim != 2 or self.scores.shape != (len(self.genomes),):
            raise InvalidValueError("known networks need one score each")
        keys, rows = np.unique(_keys(self.genomes), return_index=True)
        object.__setattr__(self, "_keys", keys)
        object.__setattr__(self, "_rows", rows)
        begins = np.zeros(2**16, dtype=bool)
        begins[keys >> _BELOW] = True
        object.__setattr__(self, "_begins", begins)

    def find(self, population: Population) -> tuple[npt.NDArray[np.intp], Values]:
        """Find the known networks of a population.

        Args:
            population: ``(n, g)``, canonical.

        Returns:
            ``(k,)`` rows of the population, and ``(k,)`` their scores.
        """
        keys = _keys(population)
        alike = np.flatnonzero(self._begins[keys >> _BELOW])
        if not len(alike):
            return alike, self.scores[:0]
        place = np.minimum(np.searchsorted(self._keys, keys[alike]), len(self._keys) - 1)
        is_known = self._keys[place] == keys[alike]
        alike, rows = alike[is_known], self._rows[place[is_known]]
        same = (self.genomes[rows] == population[alike]).all(axis=1)  # two genomes may have the same key
        return alike[same], self.scores[rows[same]]


def _keys(population: Population) -> npt.NDArray[np.uint64]:
    """``(n, g)`` -> ``(n,)``: key of each genome; equal genomes have equal keys."""
    keys: npt.NDArray[np.uint64] = population.astype(np.uint64) @ _weights(population.shape[1])
    return keys


@cache
def _weights(genes: int) -> npt.NDArray[np.uint64]:
    """``(g,)``: weight of each gene in a key."""
    return np.full(genes, _MULTIPLIER).cumprod(dtype=np.uint64)
